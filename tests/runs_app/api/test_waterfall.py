"""The decision waterfall of a real backtest, fetched by its key: whole, in ranges, and by its owner alone."""

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as papq
import pytest
from django.test import Client

from backtest import run as backtest_run
from marketdata.setup_samples import put_samples
from marketdata.store import Store
from runfiles import layout, yamlio
from runfiles.events import EventWriter
from runfiles.job import Job
from runs_app.models import Run
from simulator.waterfall import EFFECTS
from tests.runs_app.api.conftest import API, folder_of, missing

CONFIG: dict[str, Any] = {
    "policy": "equal", "dataset": {"id": "sample/us20", "symbols": ["KO", "XOM", "AAPL"]},
    "start": "2020-01-02", "end": "2020-12-31",
    "evaluation": {"baselines": ["cash"], "bootstrap_paths": 1000, "stress_windows": [], "cost_multipliers": [],
                   "capacity_multipliers": [], "waterfall": True},
}  # fmt: skip


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    datasets, folder = tmp_path_factory.mktemp("datasets"), tmp_path_factory.mktemp("run")
    put_samples(Store(datasets))
    (folder / layout.CONFIG).write_text(yamlio.dump(CONFIG), encoding="utf-8")
    backtest_run.run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), CONFIG))
    return folder


@pytest.fixture
def kept(run: Run, judged: Path) -> Run:
    shutil.copytree(judged / layout.REPORT, folder_of(run) / layout.REPORT)
    return run


def get(client: Client, run: Any, **headers: str) -> Any:
    return client.get(f"{API}/runs/{getattr(run, 'id', run)}/files/waterfall", headers=headers)


def test_its_owner_has_it_whole_and_its_effects_sum(as_alice: Client, kept: Run) -> None:
    answer = get(as_alice, kept)
    content = answer.getvalue()
    assert answer.status_code == 200 and answer["Content-Length"] == str(len(content))
    assert answer["Content-Type"] == "application/vnd.apache.parquet"
    assert answer["Content-Disposition"].startswith("attachment")
    table = papq.read_table(io.BytesIO(content)).to_pydict()
    assert len(table["filled"]) == 3 * 12  # the first close, and the last of January to November
    np.testing.assert_allclose(np.sum([table[name] for name in EFFECTS], axis=0), table["filled"], rtol=0, atol=1e-12)


def test_a_range_of_it(as_alice: Client, kept: Run) -> None:
    content = get(as_alice, kept).getvalue()
    answer = get(as_alice, kept, Range="bytes=-8")
    assert (answer.status_code, answer.getvalue()) == (206, content[-8:]) and content[-4:] == b"PAR1"
    assert answer["Content-Range"] == f"bytes {len(content) - 8}-{len(content) - 1}/{len(content)}"
    assert get(as_alice, kept, Range=f"bytes={len(content)}-").status_code == 416


def test_another_person_is_told_what_a_missing_run_would_tell(as_bob: Client, kept: Run) -> None:
    answers = [get(as_bob, one) for one in (kept, missing())]
    assert [answer.status_code for answer in answers] == [404, 404] and answers[0].content == answers[1].content


def test_nobody_is_asked_who_they_are(kept: Run) -> None:
    answer = get(Client(), kept)
    assert answer.status_code == 401 and b"PAR1" not in answer.content


def test_a_run_without_one_has_none(as_alice: Client, run: Run) -> None:
    assert get(as_alice, run).status_code == 404
