"""The real server, real children and two people with the API, as a client sees them."""

import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.real_site import Site, prepared, start_server
from tests.waiting import until

PASSWORD = "copper-heron-42"
SMALL = {
    "dataset": {"id": "sample/us-indices"},
    "features": {"feature_set": ["ohlcv"], "lookback": 8},
    "model": {"policy": "mlp", "net_arch": [16], "n_steps": 32, "batch_size": 64},
    "training": {"total_timesteps": 2048, "n_envs": 8, "eval_every": 1024, "seeds": [0]},
    "evaluation": {"bootstrap_paths": 1000},
}
LONG = SMALL | {"training": {"total_timesteps": 2_000_000, "n_envs": 8, "eval_every": 100_000, "seeds": [0]}}
OVER = {"SUCCEEDED", "FAILED", "CANCELLED", "INTERRUPTED"}


@dataclass
class World:
    """A site whose server can be killed and started again."""

    site: Site
    server: "subprocess.Popen[bytes]"
    people: dict[str, httpx.Client] = field(default_factory=dict)

    def person(self, name: str) -> httpx.Client:
        """A client with a token, signed up at the first use."""
        if name not in self.people:
            client = httpx.Client(base_url=self.site.url, timeout=20)
            answer = client.post("/api/auth/register", json={"username": name, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            client.headers["Authorization"] = f"Bearer {answer.json()['access']}"
            self.people[name] = client
        return self.people[name]

    def train(self, config: dict[str, Any], name: str = "ann") -> str:
        answer = self.person(name).post("/api/stockbot/train", json=config)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def run(self, run: str, name: str = "ann") -> dict[str, Any]:
        return dict(self.person(name).get(f"/api/stockbot/runs/{run}").json())

    def wait_for(self, run: str, *states: str, within_s: float = 60.0) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self.run(run)
            return found if found["state"] in states else None

        found = until(look, within_s=within_s, what=" or ".join(states))
        assert found is not None
        return found

    def at_work(self, config: dict[str, Any] = LONG) -> str:
        """A run that has taken its first steps of training."""
        run = self.train(config)
        until(lambda: (self.run(run)["progress"]["step"] or 0) > 0, within_s=60, what="the first step")
        return run

    def folder(self, run: str) -> Path:
        return self.site.folder / "media" / "runs" / run

    def control(self, run: str) -> Path:
        return self.site.folder / "media" / "control" / run

    def processes(self, run: str) -> list[psutil.Process]:
        """Shim, watchdog, trainer: all that have the run's id in their command line."""
        found = []
        for process in psutil.process_iter():
            try:
                if run in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def process(self, run: str, module: str) -> psutil.Process:
        return next(one for one in self.processes(run) if module in " ".join(one.cmdline()))

    def kill_server(self) -> None:
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()

    def start_again(self) -> None:
        self.server = start_server(self.site)

    def summary(self, run: str) -> dict[str, Any]:
        answer = self.person("ann").get(f"/api/stockbot/runs/{run}/files/summary")
        assert answer.status_code == 200
        return dict(json.loads(answer.content))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    site = prepared(tmp_path_factory.mktemp("flows"))
    found = World(site, start_server(site))
    yield found
    found.server.terminate()
    found.server.wait(timeout=30)
