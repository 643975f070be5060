"""The API's description is valid, complete, and true of the answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from rl.config import TrainConfig
from runs_app.api import dataset_shapes, shapes
from runs_app.models import Artifact, Policy, Run
from tests.runs_app.api.conftest import API, put
from tests.stockbot_site.routes import all_routes


@pytest.fixture(scope="module")
def schema() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)


def test_it_is_valid(schema: Any) -> None:
    validate_schema(schema)


def test_it_names_every_route_of_the_api(schema: Any) -> None:
    routes = [route for route in all_routes() if route.is_api and route.name != "schema"]
    named = {"/" + route.path.replace("<uuid:", "{").replace("<str:", "{").replace(">", "}") for route in routes}
    assert set(schema["paths"]) == named


def test_every_operation_says_what_it_does_and_how_it_refuses(schema: Any) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["description"].rstrip().endswith("."), (path, method)
            assert set(operation["responses"]) & {"400", "401"}, (path, method)


def test_a_training_is_described_by_its_model(schema: Any) -> None:
    body = schema["paths"][f"{API}/train"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/TrainConfig"}
    assert set(schema["components"]["schemas"]["TrainConfig"]["properties"]) == set(TrainConfig.model_fields)


def test_it_is_served_as_json_to_people_with_an_account(as_alice: Client, client: Client) -> None:
    found = json.loads(as_alice.get("/api/schema").content)
    assert found["openapi"].startswith("3.1")
    assert client.get("/api/schema").status_code == 401


def test_answers_have_the_fields_that_are_described(as_alice: Client, run: Run, samples: Path) -> None:
    put(run, "job.log", b"x")
    Artifact.objects.create(run=run, key="job_log", kind="log", bytes=1, sha256="0" * 64)
    policy = Policy.objects.create(owner=run.owner, run=run, which="best", sha256="0" * 64, bytes=1)
    detail = as_alice.get(f"{API}/runs/{run.id}").json()
    cases = [
        (detail, shapes.RunDetailShape),
        (detail["progress"], shapes.ProgressShape),
        (as_alice.get(f"{API}/runs").json(), shapes.RunPageShape),
        (as_alice.get(f"{API}/runs").json()["results"][0], shapes.RunShape),
        (as_alice.get(f"{API}/runs/{run.id}/artifacts").json()["artifacts"][0], shapes.ArtifactShape),
        (as_alice.get(f"{API}/runs/{run.id}/log").json(), shapes.LogShape),
        (as_alice.get(f"{API}/runs/{run.id}/tb/tags").json(), shapes.TagsShape),
        (as_alice.get(f"{API}/policies").json()["policies"][0], shapes.PolicyShape),
        (as_alice.get(f"{API}/policies/{policy.id}").json(), shapes.PolicyDetailShape),
        (as_alice.get(f"{API}/datasets").json()["datasets"][0], dataset_shapes.DatasetShape),
    ]
    for answer, shape in cases:
        assert set(answer) == set(shape().fields), shape


def test_datasets_are_what_the_catalog_holds(as_alice: Client, samples: Path) -> None:
    found = {row["id"]: row for row in as_alice.get(f"{API}/datasets").json()["datasets"]}
    us20 = found["sample/us20"]
    assert len(us20["symbols"]) == 20 and us20["fields"] == ["close"] and len(us20["version"]) == 64
    assert (us20["start"], us20["end"]) == ("1990-01-02", "2022-12-28")
