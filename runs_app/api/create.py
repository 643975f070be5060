"""POST train, backtest, data and leaks: strict JSON, the configuration model, one service, 201 with Location."""

import json
from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from pydantic import BaseModel
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import ErrorOutput
from backtest.config import BacktestConfig, names_a_strategy
from marketdata.fetch_config import DataConfig
from rl.config import TrainConfig
from runs_app import services
from runs_app.api.errors import field_errors
from runs_app.api.shapes import RunDetailShape, run_full
from runs_app.models import Run

MAX_KEY = 128
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same key again gives the same run, not a second."
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
        key = request.headers.get("Idempotency-Key", "")
        if not (key.isascii() and key.isprintable() and len(key) <= MAX_KEY):
            return field_errors({"Idempotency-Key": [f"Must be at most {MAX_KEY} printable characters."]})
        body = self.body_of(request)
        if not isinstance(body, dict):
            return field_errors({"config": ["The body must be a JSON object."]})
        if key and (first := Run.objects.owned_by(request.user).filter(idempotency_key=key).first()):
            return self.again(first)
        config = self.model_for(body).model_validate_json(json.dumps(body), strict=True)
        run = type(self).service(
            owner=request.user, config=config, idempotency_key=key or None, **self.sent_with(request)
        )
        return _shown(run, status.HTTP_201_CREATED)

    def body_of(self, request: Request) -> Any:
        """The configuration as it was sent."""
        return request.data

    def sent_with(self, request: Request) -> dict[str, Any]:
        """What else the service takes."""
        return {}

    def model_for(self, body: dict[str, Any]) -> type[BaseModel]:
        """The configuration model of a body."""
        return self.config_model

    def again(self, first: Run) -> Response:
        """The same key a second time: the run of the first time, so that a client may safely send again."""
        if first.kind != self.kind:
            detail = f"This Idempotency-Key belongs to a {first.get_kind_display().lower()}; use another."
            return Response({"detail": detail, "errors": {}}, status=status.HTTP_409_CONFLICT)
        return _shown(first, status.HTTP_200_OK)


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


class Data(StartView):
    kind = Run.Kind.DATA
    config_model = DataConfig
    service = staticmethod(services.start_data)

    @extend_schema(request=DataConfig, responses=ANSWERS, parameters=[IDEMPOTENCY])
    def post(self, request: Request) -> Response:
        """Queues a fetch of prices into a dataset of yours; one at a time asks a provider."""
        return self.start(request)
