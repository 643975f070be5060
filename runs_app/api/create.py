"""POST train and backtest: strict JSON, the configuration model, one service, 201 with Location."""

import json
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import ErrorOutput
from backtest.config import BacktestConfig
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

    config_model: ClassVar[type[BaseModel]]

    def start(self, request: Request, config: Any, key: str) -> tuple[Run, bool]:
        raise NotImplementedError

    def make(self, request: Request) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not (key.isascii() and key.isprintable() and len(key) <= MAX_KEY):
            return field_errors({"Idempotency-Key": [f"Must be at most {MAX_KEY} printable characters."]})
        if not isinstance(request.data, dict):
            return field_errors({"config": ["The body must be a JSON object."]})
        config = self.config_model.model_validate_json(json.dumps(request.data), strict=True)
        run, fresh = self.start(request, config, key)
        answer = Response(run_full(run), status=status.HTTP_201_CREATED if fresh else status.HTTP_200_OK)
        answer["Location"] = answer.data["url"]
        return answer


class Train(StartView):
    config_model = TrainConfig

    @extend_schema(request=TrainConfig, responses=ANSWERS, parameters=[IDEMPOTENCY])
    def post(self, request: Request) -> Response:
        """Queues a training whose report judges the policy and every baseline on the test range."""
        return self.make(request)

    def start(self, request: Request, config: Any, key: str) -> tuple[Run, bool]:
        return services.start_training(owner=request.user, config=config), True


class Backtest(StartView):
    config_model = BacktestConfig

    @extend_schema(request=BacktestConfig, responses=ANSWERS, parameters=[IDEMPOTENCY])
    def post(self, request: Request) -> Response:
        """Queues a backtest of a baseline, a stored policy or a finished training's policy."""
        return self.make(request)

    def start(self, request: Request, config: Any, key: str) -> tuple[Run, bool]:
        return services.start_backtest(owner=request.user, config=config), True
