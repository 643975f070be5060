"""A second person gets for the first one's things what a missing thing gets: 404, and 4404 on the socket."""

import asyncio
import uuid
from collections.abc import Iterator

import pytest
import websockets

from tests.flows.conftest import SMALL, World

pytestmark = pytest.mark.slow

ROUTES = (
    "",
    "/artifacts",
    "/files/summary",
    "/files/config",
    "/log",
    "/tb/tags",
    "/tb/scalars-batch?tags=rollout/ep_rew_mean",
)


@pytest.fixture(scope="module")
def run(world: World) -> Iterator[str]:
    found = world.train(SMALL)
    world.wait_for(found, "SUCCEEDED", within_s=120)
    yield found


@pytest.mark.parametrize("route", ROUTES)
def test_of_the_api(world: World, run: str, route: str) -> None:
    mine = world.person("ann").get(f"/api/stockbot/runs/{run}{route}")
    theirs = world.person("bob").get(f"/api/stockbot/runs/{run}{route}")
    missing = world.person("bob").get(f"/api/stockbot/runs/{uuid.uuid4()}{route}")
    assert (mine.status_code, theirs.status_code, missing.status_code) == (200, 404, 404)
    assert theirs.content == missing.content


def test_of_the_actions(world: World, run: str) -> None:
    bob = world.person("bob")
    assert bob.post(f"/api/stockbot/runs/{run}/cancel").status_code == 404
    assert bob.patch(f"/api/stockbot/runs/{run}", json={"name": "mine"}).status_code == 404
    answer = bob.post("/api/stockbot/backtest", json={"run_id": run})
    assert answer.status_code in {400, 404}
    assert bob.get("/api/stockbot/runs").json()["results"] == []


@pytest.mark.parametrize("whose", ["first", "nobody"])
def test_of_the_socket(world: World, run: str, whose: str) -> None:
    async def close_code() -> int | None:
        wanted = run if whose == "first" else str(uuid.uuid4())
        address = f"{world.site.url.replace('http', 'ws')}/api/stockbot/runs/{wanted}/ws"
        headers = {"Authorization": world.person("bob").headers["Authorization"]}
        async with websockets.connect(address, additional_headers=headers) as socket:
            with pytest.raises(websockets.ConnectionClosed):
                await socket.recv()
            return socket.close_code

    assert asyncio.run(close_code()) == 4404


def test_the_policy_is_the_first_persons_too(world: World, run: str) -> None:
    policies = world.run(run)["policies"]
    assert policies
    for policy in policies:
        assert world.person("ann").get(f"/api/stockbot/policies/{policy}").status_code == 200
        assert world.person("bob").get(f"/api/stockbot/policies/{policy}").status_code == 404
