"""Deny by default: each route says who may use it, nobody gets in unasked, and a foreign object is a missing one.

The list of public routes below is the whole of what somebody without an account can reach.
"""

import json
import re
import uuid
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from rest_framework.permissions import AllowAny

from accounts.models import User
from marketdata.store import Store
from runs_app.models import Dataset, Policy, Run, Upload
from runs_app.routing import websocket_urlpatterns
from tests.marketdata.build import bars_of, meta
from tests.runs_app.finished_run import finished_training
from tests.stockbot_site.routes import Route, all_routes

PUBLIC = {
    "healthz", "readyz", "accounts:login", "accounts:signup", "admin:login",
    "auth:register", "auth:login", "auth:refresh", "auth:logout",
}  # fmt: skip
UNANSWERED = {  # for want of a curve, of stored prices, of the upload's files, and because the run has succeeded
    "api:run-tb-scalars", "api:run-prices", "api:dataset-commit", "api:run-resume", "runs:resume",
}  # fmt: skip
ROUTES = all_routes()
OWNED = [route for route in ROUTES if route.object_ids]


def name_of(route: Route) -> str:
    return route.name


@pytest.fixture
def owned(db: None) -> dict[str, uuid.UUID]:
    """Ids of Alice's objects by the names that routes give them."""
    alice = User.objects.create_user("alice", password="pw")
    run = finished_training(alice)
    policy = Policy.objects.get_or_create(owner=alice, run=run, which="best", defaults={"bytes": 1})[0]
    upload = Upload.objects.create(owner=alice, files=[{"name": "a.csv", "bytes": 1, "sha256": "0" * 64}])
    return {"run_id": run.id, "policy_id": policy.id, "dataset_id": put_dataset(alice), "upload_id": upload.id}


def put_dataset(owner: User, dataset_id: uuid.UUID | None = None) -> uuid.UUID:
    version = Store(settings.DATASETS_ROOT).put(bars_of([1.0, 2.0, 3.0]), meta())
    dataset_id = dataset_id or uuid.uuid4()
    Dataset.objects.update_or_create(id=dataset_id, owner=owner, name="files/mine", version=version)
    return dataset_id


@pytest.fixture
def strangers(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("bob", password="pw"))
    return client


def ask(client: Client, method: str, address: str) -> Any:
    if method == "get":
        return client.get(address)
    return getattr(client, method)(address, data={"name": "x"}, content_type="application/json")


def seen(answer: Any) -> bytes:
    """The body without the token of its forms, which is masked anew each time."""
    return re.sub(rb'(name="csrfmiddlewaretoken" value=)"[^"]+"', rb"\1", answer.content)


def test_the_walk_finds_the_routes() -> None:
    names = {route.name for route in ROUTES}
    assert names >= PUBLIC | {"runs:list", "runs:detail", "api:run", "api:run-file", "api:policy", "schema"}


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_each_route_declares_who_may_use_it(route: Route) -> None:
    view_class = getattr(route.view, "cls", None)
    if view_class is not None and hasattr(view_class, "permission_classes"):
        is_public = AllowAny in view_class.permission_classes
        assert view_class.permission_classes
    else:
        is_public = not getattr(route.view, "login_required", True)
    assert is_public == (route.name in PUBLIC)


def test_nobody_gets_in(owned: dict[str, uuid.UUID], client: Client) -> None:
    for route in (route for route in ROUTES if route.name not in PUBLIC):
        for method in route.methods:
            answer = ask(client, method, route.address(owned))
            if route.is_api:
                assert answer.status_code == 401, (route.name, method)
                assert json.loads(answer.content).keys() == {"detail", "errors"}, route.name
            else:
                assert answer.status_code == 302, (route.name, method)
                assert answer["Location"].startswith("/accounts/login?next="), route.name
            assert not any(str(one).encode() in answer.content for one in owned.values()), route.name


def test_a_foreign_object_is_a_missing_object(owned: dict[str, uuid.UUID], strangers: Client) -> None:
    """Status, headers and every byte of the answer are the same, and nothing of the owner's has changed."""
    before = _all_rows()
    missing = {name: uuid.uuid4() for name in owned}
    for route in OWNED:
        for method in route.methods:
            theirs = ask(strangers, method, route.address(owned))
            nobodys = ask(strangers, method, route.address(missing))
            assert theirs.status_code in ((404,) if route.is_api else (404, 405)), (route.name, method)
            assert (theirs.status_code, seen(theirs)) == (nobodys.status_code, seen(nobodys)), (route.name, method)
            assert dict(theirs.headers) == dict(nobodys.headers), (route.name, method)
    assert _all_rows() == before


def _all_rows() -> list[list[Any]]:
    return [list(model.objects.values()) for model in (Run, Policy, Dataset, Upload)]


def test_the_owner_gets_in(owned: dict[str, uuid.UUID]) -> None:
    """Else the two tests above would pass on a route that is merely broken."""
    client = Client()
    alice = User.objects.get(username="alice")
    client.force_login(alice)
    for route in OWNED:
        put_dataset(alice, owned["dataset_id"])  # a route before this one may have deleted it
        answers = []
        for method in route.methods:
            address = route.address(owned) + ("?tag=none&tags=none" if "/tb/scalars" in route.path else "")
            answers.append(ask(client, method, address).status_code)
        assert set(answers) & {200, 202, 302} or route.name in UNANSWERED, (route.name, answers)


@pytest.mark.parametrize("method", ["trace", "connect", "foo"])
def test_an_unknown_method_is_refused(owned: dict[str, uuid.UUID], method: str) -> None:
    client = Client()
    client.force_login(User.objects.get(username="alice"))
    answer = client.generic(method.upper(), f"/api/stockbot/runs/{owned['run_id']}")
    assert answer.status_code == 405


def test_an_override_of_the_method_has_no_effect(owned: dict[str, uuid.UUID]) -> None:
    client = Client()
    client.force_login(User.objects.get(username="alice"))
    address = f"/api/stockbot/runs/{owned['run_id']}"
    answer = client.get(address, headers={"X-HTTP-Method-Override": "PATCH"})
    assert answer.status_code == 200 and answer.json()["name"] != "x"


@pytest.mark.parametrize("pattern", websocket_urlpatterns, ids=lambda pattern: pattern.name)
def test_each_consumer_declares_who_may_use_it(pattern: Any) -> None:
    consumer = pattern.callback.consumer_class
    assert consumer.permission in ("owner", "public")
    assert (consumer.permission == "public") == (pattern.name == "nowhere")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pattern", websocket_urlpatterns, ids=lambda pattern: pattern.name)
async def test_nobody_hears_anything(pattern: Any) -> None:
    from stockbot_site.asgi import application

    address = "/" + str(pattern.pattern).replace("<uuid:run_id>", str(uuid.uuid4()))
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
    one = WebsocketCommunicator(application, address, headers=headers)
    assert (await one.connect(timeout=5))[0]
    assert (await one.receive_output(timeout=5))["code"] in (4401, 4404)
    await one.disconnect()
