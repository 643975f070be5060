"""A real backtest that fails, through the whole life of a run: it ends FAILED with the job's one sentence, and whatever
it left is listed, fetched and read by its owner.
"""

import csv
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client

from backtest.config import BacktestConfig
from marketdata.bars import Bars
from marketdata.store import Store
from runfiles import yamlio
from runs_app import datasets, services
from runs_app.executors import LocalExecutor
from runs_app.models import Run
from tests.marketdata.build import meta, random_ohlcv
from tests.runs_app.api.conftest import API
from tests.runs_app.yard import Yard

Start = Callable[..., Run]
READ: dict[str, Callable[[str], Any]] = {
    "application/json": json.loads,
    "application/yaml": yamlio.load,
    "text/csv": lambda text: list(csv.reader(text.splitlines())),
    "application/x-ndjson": lambda text: [json.loads(line) for line in text.splitlines()],
    "text/plain": str,
}


def spoiled() -> Bars:
    """200 good bars of A and B, but B's high of bar 120 lies below its low."""
    bars = random_ohlcv(200)
    assert bars.high is not None
    high = bars.high.copy()
    high[120, 1] = bars.low[120, 1] / 2  # type: ignore[index]
    return dataclasses.replace(bars, high=high)


@pytest.fixture
def start(yard: Yard, owner: Any, settings: Any) -> Start:
    """A queued backtest on these bars, which the reconciler will run as the server does."""
    yard.executor = LocalExecutor()
    yard.reconciler.close()
    yard.reconciler = yard.new_reconciler()

    def queue(bars: Bars, **asked: Any) -> Run:
        version = Store(settings.DATASETS_ROOT).put(bars, meta("files/mine"))
        datasets.add(owner, "files/mine", version, title="Mine", details={})
        config = {
            "policy": "equal", "dataset": {"id": "files/mine"}, "start": str(bars.session[50]),
            "end": str(bars.session[-1]), "evaluation": {"bootstrap_paths": 1000, "baselines": ["cash"]},
        }  # fmt: skip
        run = services.start_backtest(owner=owner, config=BacktestConfig.model_validate(config | asked))
        yard.switches[run.id] = ()
        return run

    return queue


def fetched(owner: Any, run: Run) -> dict[str, Any]:
    """Every listed artifact, read by its type."""
    client = Client()
    client.force_login(owner)
    found = {}
    for artifact in client.get(f"{API}/runs/{run.id}/artifacts").json()["artifacts"]:
        answer = client.get(f"{API}/runs/{run.id}/files/{artifact['key']}")
        content = answer.getvalue()
        assert answer.status_code == 200 and len(content) == artifact["bytes"], artifact
        kind = answer["Content-Type"].partition(";")[0]
        found[artifact["key"]] = READ[kind](content.decode()) if kind in READ else content
    return found


def test_bars_that_cannot_be(yard: Yard, owner: Any, start: Start) -> None:
    bars = spoiled()
    run = yard.step_until(start(bars), "FAILED", "SUCCEEDED", within_s=120)
    day = str(bars.session[120])
    assert run.state == "FAILED" and run.sentence.startswith("The data cannot be used: B has a high of ")
    assert day in run.sentence and "below another price of the bar." in run.sentence
    files = fetched(owner, run)
    assert {"config", "command", "versions", "dataset", "events", "job_log"} <= files.keys()
    assert not {"manifest", "report", "equity", "metrics"} & files.keys()
    assert files["config"]["policy"] == "equal" and files["versions"]
    red = [one["sentence"] for one in files["dataset"]["quality"]["findings"] if one["level"] == "red"]
    assert len(red) == 2 and red[0] in run.sentence
    assert run.sentence in files["job_log"]
    assert [event["phase"] for event in files["events"] if event["kind"] == "phase"] == ["data"]


def test_a_strategy_that_cannot_act(yard: Yard, owner: Any, start: Start) -> None:
    """Found in the judge phase, when the data's files have been written already: these stay."""
    bars = dataclasses.replace(random_ohlcv(200), symbols=("A", "B"))
    asked = {"policy": "random", "evaluation": {"bootstrap_paths": 1000, "baselines": ["cash"], "waterfall": True}}
    run = yard.step_until(start(bars, **asked), "FAILED", "SUCCEEDED", within_s=120)
    assert run.state == "FAILED" and "evaluation.waterfall: random is several books" in run.sentence
    files = fetched(owner, run)
    assert files["dataset"]["symbols"] == ["A", "B"] and np.isfinite(files["dataset"]["n_bars"])
    assert [event["phase"] for event in files["events"] if event["kind"] == "phase"] == ["data", "judge"]
