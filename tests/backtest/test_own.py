"""Strategies from the command line: judged, shown, and stopped with one sentence where they go wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backtest import registry, run
from runfiles import layout, outcome, yamlio
from runfiles.job import JobRefused
from tests.backtest.conftest import MakeJob

SMALL: dict[str, Any] = {
    "policy": "cash",
    "dataset": {"id": "sample/us20", "symbols": ["KO", "XOM"]},
    "start": "2020-01-02",
    "end": "2020-12-31",
    "evaluation": {"baselines": ["equal"], "bootstrap_paths": 1000},
}
CODE = """
import numpy as np
from backtest.baselines import Baseline
from simulator.engine import Decisions
from tests.backtest import stepping as plain


class Like(Baseline):
    \"\"\"Equal weights again.\"\"\"

    key, label = "like_equal", "Like equal"

    def shares_of(self, market, t):
        return market.offered[t] / market.offered[t].sum()


class Stepping(plain.Stepping):
    key = "stepping"
    answer = staticmethod(lambda t, session: None)

    def decide(self, t, session):
        if str(session.market.bars.session[t]) < "2020-03-02":
            return np.array([0.5, 0.5])
        return self.answer(t, session)


def stepping(name, answer):
    globals()[name] = type(name, (Stepping,), {"key": name.lower(), "answer": staticmethod(answer)})


stepping("Nan", lambda t, s: [0.1, np.nan])
stepping("Wide", lambda t, s: [0.1, 0.1, 0.1])
stepping("Heavy", lambda t, s: [0.2, 1.4])
stepping("Levered", lambda t, s: [0.7, 0.8])
stepping("Short", lambda t, s: [-0.2, 0.8])
stepping("Words", lambda t, s: "buy")
stepping("Raises", lambda t, s: {}["KO"])
stepping("Good", lambda t, s: [0.3, 0.3])


class Table(Stepping):
    key = "table"
    rows = [[0.5, 0.5], [0.5, float("inf")]]

    def decisions(self, market, t0, t1):
        return Decisions(np.array([t0, t0 + 5]), np.array(self.rows))


class Narrow(Table):
    key, rows = "narrow", [[0.5], [0.5]]


class Past(Baseline):
    key = "past"

    def bars(self, market, t0, t1):
        return np.array([t0 - 1])

    def shares_of(self, market, t):
        return np.zeros(2)


class Thin(Baseline):
    key = "thin"

    def shares_of(self, market, t):
        return np.ones(1) if str(market.bars.session[t]) > "2020-03-01" else np.zeros(2)


class Breaks(Baseline):
    key = "breaks"

    def shares_of(self, market, t):
        return np.zeros(2) if str(market.bars.session[t]) < "2020-03-01" else 1 / 0


class Unborn(Stepping):
    key = "unborn"

    def __init__(self, config):
        raise RuntimeError("no data file")


class Acting(Stepping):
    \"\"\"Raw actions, one too few from June on.\"\"\"

    key, layers = "acting", "policy"

    def decide(self, t, session):
        return -np.ones(session.width - (str(session.market.bars.session[t]) > "2020-06-01"))


class Keyless(Stepping):
    key = "Key Less"


class Taken(Stepping):
    key = "equal"


class Layered(Stepping):
    key, layers = "layered", "guards"


class Idle:
    key, layers = "idle", "mandate"
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`mine` on the path, and a registry that forgets what was added."""
    (tmp_path / "mine.py").write_text(CODE)
    (tmp_path / "broken.py").write_text("import not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = dict(registry.STRATEGIES)
    yield
    for key in set(registry.STRATEGIES) - set(before):
        del registry.STRATEGIES[key], registry._MAKERS[key]
    sys.modules.pop("mine", None)


def summary(folder: Path, baseline: str = "") -> Any:
    below = layout.baseline_folder(baseline) if baseline else layout.REPORT
    return json.loads((folder / below / "summary.json").read_text())


def test_it_is_shown_beside_the_baselines_and_is_what_its_twin_is(make_job: MakeJob) -> None:
    job = make_job(**SMALL)
    run.run(job, ("mine:Like", "mine:Good"))
    own = summary(job.folder, "like_equal")
    assert own["label"] == "Like equal" and own["metrics"] == summary(job.folder, "equal")["metrics"]
    assert summary(job.folder, "good")["metrics"]["gross"] == pytest.approx(0.6, abs=0.2)
    told = summary(job.folder)["stamps"]
    assert any(text.startswith("Like equal: code of one's own, mine:Like, sha256 ") for text in told)
    assert [one["baseline"] for one in summary(job.folder)["excesses"]] == ["equal"]


def test_it_is_judged_where_policy_names_its_key(make_job: MakeJob) -> None:
    job = make_job(**{**SMALL, "policy": "like_equal"})
    run.run(job, ("mine:Like",))
    judged = summary(job.folder)
    assert judged["strategy"] == "like_equal" and judged["verdict"]["baseline"] == "equal"
    assert judged["verdict"]["excess_per_year"] == 0


FAULTS = [
    ("mine:Nan", "nan gave nan for XOM at 2020-03-02; use a finite number."),
    ("mine:Wide", "wide gave an array of shape (3,) at 2020-03-02; (2,) is right, in the order KO, XOM."),
    ("mine:Heavy", "heavy gave 1.4 for XOM at 2020-03-02; margin.max_position_weight allows 1."),
    ("mine:Levered", "levered gave weights of gross 1.5, the largest 0.8 for XOM at 2020-03-02; "
                     "margin.max_gross_leverage allows 1."),
    ("mine:Short", "short gave -0.2 for KO at 2020-03-02; a weight below 0 needs margin.allow_short: true."),
    ("mine:Words", "words raised ValueError: could not convert string to float: 'buy' at 2020-03-02."),
    ("mine:Raises", "raises raised KeyError: 'KO' at 2020-03-02."),
    ("mine:Table", "table gave inf for XOM at 2020-01-09; use a finite number."),
    ("mine:Narrow", "narrow gave targets of shape (2, 1) where (2, 2) is right."),
    ("mine:Past", "past decides outside of 2020-01-02 to 2020-12-30"),
    ("mine:Thin", "thin gave an array of shape (1,) at 2020-03-31; (2,) is right"),
    ("mine:Breaks", "breaks raised ZeroDivisionError: division by zero at 2020-03-31."),
    ("mine:Acting", "acting gave an array of shape (2,) at 2020-06-02; (3,) is right, in the order cash, KO, XOM."),
    ("mine:Unborn", "unborn raised RuntimeError: no data file."),
    ("mine:Keyless", "mine:Keyless needs a key of lower-case letters"),
    ("mine:Taken", "mine:Taken has the key equal, which another strategy has"),
    ("mine:Layered", "mine:Layered needs layers, mandate for target weights or policy for raw actions."),
    ("mine:Idle", "mine:Idle lacks prepare, decisions, decide"),
    ("mine:Nobody", "--strategy mine:Nobody: mine has no class Nobody."),
    ("mine.Like", "--strategy mine.Like: write it as my_module:MyStrategy."),
    ("broken:Any", "--strategy broken:Any: the module could not be imported; it raised ModuleNotFoundError: "
                   "No module named 'not_there'."),
]  # fmt: skip


@pytest.mark.parametrize(("path", "sentence"), FAULTS, ids=[path for path, _ in FAULTS])
def test_a_fault_is_one_sentence(make_job: MakeJob, path: str, sentence: str) -> None:
    job = make_job(**SMALL)
    with pytest.raises(JobRefused) as refused:
        run.run(job, (path,))
    assert str(refused.value).startswith(sentence)


def test_what_a_failed_run_leaves_can_be_read(tmp_path: Path, datasets: Path) -> None:
    """As a real process: exit code, the sentence last, the traceback before it, whole files, its own exit handlers."""
    config, out = tmp_path / "c.yaml", tmp_path / "out"
    with (tmp_path / "mine.py").open("a") as stream:
        stream.write('import atexit; atexit.register(print, "wound up")\n')
    config.write_text(yamlio.dump(SMALL))
    done = subprocess.run(
        [sys.executable, "-m", "backtest.run", "--config", str(config), "--out", str(out), "--datasets", str(datasets),
         "--strategy", "mine:Good", "--strategy", "mine:Raises"],
        capture_output=True, text=True, check=False, timeout=120, env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    lines = done.stderr.strip().splitlines()
    assert done.returncode == outcome.CODE_REFUSED and lines[-1] == "raises raised KeyError: 'KO' at 2020-03-02."
    assert "Traceback" in done.stderr and "KeyError: 'KO'" in done.stderr
    assert done.stdout.splitlines()[-1] == "wound up"
    assert json.loads((out / layout.DATASET).read_text())["symbols"] == ["KO", "XOM"]
    assert [json.loads(line)["v"] for line in (out / layout.EVENTS).read_text().splitlines()]
    assert not (out / layout.REPORT).exists()


def test_without_the_option_the_key_is_unknown(make_job: MakeJob) -> None:
    with pytest.raises(JobRefused, match="policy: like_equal is no baseline"):
        run.run(make_job(**{**SMALL, "policy": "like_equal"}))
