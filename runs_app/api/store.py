"""Policies."""

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import ErrorOutput
from runs_app import access
from runs_app.api.runs import ERRORS
from runs_app.api.shapes import PoliciesShape, PolicyDetailShape, policy_row
from runs_app.models import Policy


class PolicyList(APIView):
    @extend_schema(operation_id="policies_list", responses={200: PoliciesShape, 401: ErrorOutput})
    def get(self, request: Request) -> Response:
        """Your policies, newest first."""
        policies = Policy.objects.owned_by(request.user)[:1000]
        return Response({"policies": [policy_row(policy) for policy in policies]})


class PolicyDetail(APIView):
    @extend_schema(responses={200: PolicyDetailShape, **ERRORS})
    def get(self, request: Request, policy_id: uuid.UUID) -> Response:
        """One policy and the configuration it was trained with."""
        policy = access.get_policy(request.user, policy_id)
        return Response({**policy_row(policy), "config": policy.config})
