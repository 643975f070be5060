"""Progress as a client reads it: within a phase the step never falls, and the total stays what it was."""

import itertools
from typing import Any

import pytest

from backtest import run
from runfiles import layout
from runfiles.events import read_events
from tests.backtest.conftest import MakeJob

CONFIG: dict[str, Any] = {
    "dataset": {"id": "sample/us20", "symbols": ["KO", "XOM"]},
    "start": "2019-01-02",
    "end": "2019-12-31",
    "evaluation": {"baselines": ["cash", "equal"], "stress_windows": [], "bootstrap_paths": 1000},
}


@pytest.mark.parametrize("more", [{}, {"cost_multipliers": [], "delays": [], "capacity_multipliers": []}])
def test_of_a_whole_backtest(make_job: MakeJob, more: dict[str, Any]) -> None:
    job = make_job(policy="momentum", **CONFIG | {"evaluation": CONFIG["evaluation"] | more})
    run.run(job)
    events = [one for one in read_events(job.folder / layout.EVENTS, 0)[0] if one["kind"] == "progress"]
    for phase in ("judge", "report"):
        told = [(one["step"] or 0, one["total"]) for one in events if one["phase"] == phase]
        assert all(after >= before for (before, _), (after, _) in itertools.pairwise(told)), told
        assert len({total for _, total in told}) == 1 and told[-1][0] == told[-1][1], told
    steps = [one["step"] for one in events if one["phase"] == "judge"]
    assert steps[0] == 0 and len(steps) > 10
