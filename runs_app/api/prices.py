"""Prices of a symbol as a run traded it, with the run's fills and weight on them."""

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import ErrorOutput
from runs_app import access, price_chart, report_reader
from runs_app.api.datasets import BARS_PARAMETERS, UNCHANGED
from runs_app.api.files import tag_of
from runs_app.api.runs import ERRORS
from runs_app.api.shapes import PricesShape
from runs_app.pool import in_pool


class RunPrices(APIView):
    @extend_schema(
        parameters=BARS_PARAMETERS,
        responses={200: PricesShape, 304: UNCHANGED, 400: ErrorOutput, **ERRORS},
    )
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """Price, weight and fills of one symbol over the test range, by column; 404 says why there is no chart."""
        run = access.get_run(request.user, run_id)
        try:
            traded = price_chart.traded(run)
            wish = price_chart.asked(traded, request.query_params.dict())
            etag = tag_of(request, report_reader.stamp(run, price_chart.TABLES), run.dataset_version)
            headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
            if request.headers.get("If-None-Match", "") == etag:
                return Response(status=304, headers=headers)
            return Response(in_pool(price_chart.columns, run, traded, wish), headers=headers)
        except price_chart.NotDrawn as fault:
            raise NotFound(str(fault)) from fault
