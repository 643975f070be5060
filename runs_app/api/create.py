"""POST train, cv, backtest, data, leaks, calibrate: strict JSON, the configuration model, one service, 201."""

import json
import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from pydantic import BaseModel
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import ErrorOutput, shortened
from backtest.config import BacktestConfig, names_a_strategy
from marketdata.fetch_config import DataConfig
from rl.config import CalibrateConfig, CvConfig, TrainConfig
from runfiles.hashes import sha256_of
from runs_app import access, services
from runs_app.api.errors import field_errors
from runs_app.api.shapes import RunDetailShape, run_full
from runs_app.models import Run
from runs_app.resume import NotResumable
from runs_app.services import Once

MAX_KEY = 128
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key with the same body gives the same run, not a second.",
)
ANSWERS: dict[int, Any] = {
    201: RunDetailShape,
    200: RunDetailShape,
    400: ErrorOutput,
    401: ErrorOutput,
    409: ErrorOutput,
}


class StartView(APIView):
    """A run from a configuration; subclasses name the model and the service."""

    kind: ClassVar[str]
    config_model: ClassVar[type[BaseModel]]
    service: ClassVar[Callable[..., Run]]

    def start(self, request: Request) -> Response:
        body = self.body_of(request)
        if not isinstance(body, dict):
            return field_errors({"config": ["The body must be a JSON object."]})
        return self.once(request, body, lambda once: self.asked(request, body, once))

    def asked(self, request: Request, body: dict[str, Any], once: Once) -> Run:
        """The run that the body asks for."""
        config = self.model_for(body).model_validate_json(json.dumps(body), strict=True)
        return type(self).service(owner=request.user, config=config, **once, **self.sent_with(request))

    def once(
        self, request: Request, body: Any, make: Callable[[Once], Run], *, going_on_from: uuid.UUID | None = None
    ) -> Response:
        """What `make` gives for the request's key, or the run that this key gave before, to the same request."""
        key = request.headers.get("Idempotency-Key", "")
        if not (key.isascii() and key.isprintable() and len(key) <= MAX_KEY):
            return field_errors({"Idempotency-Key": [f"Must be at most {MAX_KEY} printable characters."]})
        if not key:
            return _shown(make({}), status.HTTP_201_CREATED)
        once = Once(idempotency_key=key, body_sha256=_sha256_of(body, self.hashes_of(request)))
        if first := Run.objects.owned_by(request.user).filter(idempotency_key=key).first():
            return self.again(first, once, going_on_from)
        try:
            return _shown(make(once), status.HTTP_201_CREATED)
        except services.AlreadyStarted as fault:  # both came at once
            return self.again(fault.run, once, going_on_from)

    def body_of(self, request: Request) -> Any:
        """The configuration as it was sent."""
        return request.data

    def hashes_of(self, request: Request) -> list[str]:
        """Of the files that were sent beside the body."""
        return []

    def sent_with(self, request: Request) -> dict[str, Any]:
        """What else the service takes."""
        return {}

    def model_for(self, body: dict[str, Any]) -> type[BaseModel]:
        """The configuration model of a body."""
        return self.config_model

    def again(self, first: Run, once: Once, going_on_from: uuid.UUID | None) -> Response:
        """The same key a second time: the run of the first time, so that a client may safely send again.

        A training is another one where it was to go on from another run, or from none. A body that is another one asks
        for another run; of rows of before nobody knows their body.
        """
        kind, belongs = first.get_kind_display().lower(), ""
        if first.kind not in ((self.kind,) if going_on_from is None else Run.TRAINED):
            belongs = f"a {kind}"
        elif first.trains and first.source_run_id != going_on_from:
            belongs = f"a new {kind}" if first.source_run_id is None else f"the resuming of run {first.source_run_id}"
        elif first.body_sha256 not in ("", once["body_sha256"]):
            belongs = f"a {kind} that was asked for with another body, run {first.id}"
        if belongs:
            detail = f"This Idempotency-Key belongs to {belongs}; use another."
            return Response({"detail": detail, "errors": {}}, status=status.HTTP_409_CONFLICT)
        return _shown(first, status.HTTP_200_OK)


def _sha256_of(body: Any, files: list[str]) -> str:
    """Of what was sent, whatever the order of its keys and its white space."""
    content = json.dumps({"body": body, "files": files}, sort_keys=True, separators=(",", ":"))
    return sha256_of(content.encode())


def _shown(run: Run, code: int) -> Response:
    answer = run_full(run)
    return Response(answer, status=code, headers={"Location": answer["url"]})


class Train(StartView):
    kind = Run.Kind.TRAIN
    config_model = TrainConfig
    service = staticmethod(services.start_training)

    @extend_schema(request=TrainConfig, responses=ANSWERS, parameters=[IDEMPOTENCY])
    def post(self, request: Request) -> Response:
        """Queues a training whose report judges the policy and every baseline on the test range."""
        return self.start(request)


class Cv(StartView):
    kind = Run.Kind.CV
    config_model = CvConfig
    service = staticmethod(services.start_walk_forward)

    @extend_schema(request=CvConfig, responses=ANSWERS, parameters=[IDEMPOTENCY])
    def post(self, request: Request) -> Response:
        """Queues a walk-forward: a training for each fold and seed, then one book through all test folds."""
        return self.start(request)


class Resume(StartView):
    kind = Run.Kind.TRAIN

    @extend_schema(request=None, responses={**ANSWERS, 404: ErrorOutput}, parameters=[IDEMPOTENCY])
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """Queues a run that goes on from the last checkpoint of a training that has stopped, configured as it was."""
        run = access.get_run(request.user, run_id)
        if request.data != {}:
            names = shortened(request.data) if isinstance(request.data, dict) else ["body"]
            said = "Send no body: the training goes on as it was configured."
            return field_errors({name: [said] for name in names})
        try:
            return self.once(request, {}, lambda once: services.resume_training(run=run, **once), going_on_from=run.id)
        except NotResumable as fault:
            return Response({"detail": str(fault), "errors": {}}, status=status.HTTP_409_CONFLICT)


class Backtest(StartView):
    kind = Run.Kind.BACKTEST
    config_model = BacktestConfig
    service = staticmethod(services.start_backtest)

    @extend_schema(request=BacktestConfig, responses=ANSWERS, parameters=[IDEMPOTENCY])
    def post(self, request: Request) -> Response:
        """Queues a backtest of a baseline, a stored policy or a finished training's policy."""
        return self.start(request)


class Leaks(StartView):
    kind = Run.Kind.LEAKS
    config_model = TrainConfig
    service = staticmethod(services.start_leaks)

    def model_for(self, body: dict[str, Any]) -> type[BaseModel]:
        return BacktestConfig if names_a_strategy(body) else TrainConfig

    @extend_schema(
        request=PolymorphicProxySerializer("LeaksConfig", [TrainConfig, BacktestConfig], None),
        responses=ANSWERS,
        parameters=[IDEMPOTENCY],
    )
    def post(self, request: Request) -> Response:
        """Queues a leak check: of a training's configuration, or of what a backtest's would judge."""
        return self.start(request)


class Calibrate(StartView):
    kind = Run.Kind.CALIBRATE
    config_model = CalibrateConfig
    service = staticmethod(services.start_calibration)

    @extend_schema(request=CalibrateConfig, responses=ANSWERS, parameters=[IDEMPOTENCY])
    def post(self, request: Request) -> Response:
        """Queues a calibration: a training's set-up, tried in worlds where it is known what there is to find."""
        return self.start(request)


class Data(StartView):
    kind = Run.Kind.DATA
    config_model = DataConfig
    service = staticmethod(services.start_data)

    @extend_schema(request=DataConfig, responses=ANSWERS, parameters=[IDEMPOTENCY])
    def post(self, request: Request) -> Response:
        """Queues a fetch of prices into a dataset of yours; one at a time asks a provider."""
        return self.start(request)
