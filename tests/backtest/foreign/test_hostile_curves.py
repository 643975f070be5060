"""Whatever numbers a file holds, its run ends with a judgement or with one sentence: 2,000 seeded curves."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.config import ImportConfig
from backtest.feed import load_feed
from backtest.foreign.align import LEAST_EQUITY, MOST_EQUITY, curve_of
from backtest.foreign.judge import judge_and_write
from backtest.foreign.table import ResultRefused, Rows
from backtest.imported import Imported
from backtest.series import Floats
from runfiles import layout
from runfiles.events import EventWriter
from runfiles.job import Job, JobRefused
from tests.backtest.foreign.conftest import DATASET, Import

CURVES = 2000
JOB: dict[str, Any] = {
    "dataset": DATASET, "file_sha256": "0" * 64,
    "evaluation": {"bootstrap_paths": 1000, "metric_bootstrap_paths": 100, "baselines": ["cash", "buy_hold"]},
}  # fmt: skip
HOLDS = ("equity", "returns", "returns_percent")


def hostile(rng: np.random.Generator) -> tuple[str, Floats]:
    """What the column holds, and its values."""
    n, holds, kind = int(rng.integers(3, 60)), HOLDS[rng.integers(3)], int(rng.integers(9))
    at = np.arange(n)
    low, high = LEAST_EQUITY, MOST_EQUITY
    equities: tuple[Any, ...] = (
        10 ** rng.uniform(-6, 15, n), np.where(at % 2, high, low), np.full(n, high), np.full(n, low),
        10 ** rng.uniform(-320, 308, n), np.linspace(low, high, n), 1 + rng.normal(0, 1e-16, n),
        np.where(at % 2, 1e308, 1e-300), np.concatenate((np.full(n - 1, 1.0), 10 ** rng.uniform(-6, 15, 1))),
    )  # fmt: skip
    returns: tuple[Any, ...] = (
        rng.normal(0, 0.01, n), np.where(at == n // 2, 1e8, 0.001), np.where(at < 2, 1e300, 0.001),
        np.where(rng.random(n) < 0.2, 1e300, -0.03), np.full(n, -0.04), np.zeros(n), rng.normal(0, 1e-18, n),
        np.where(rng.random(n) < 0.5, 1e-300, 0.03), -1 + 10 ** rng.uniform(-17, 0, n),
    )  # fmt: skip
    return holds, np.asarray((equities if holds == "equity" else returns)[kind], dtype=np.float64)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_a_judgement_or_one_sentence(tmp_path: Path, datasets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = Job(tmp_path, datasets, EventWriter(tmp_path / layout.EVENTS), JOB)
    feed = load_feed(job, ImportConfig.model_validate(JOB).dataset)
    days, ends = feed.bars.session, Counter[str]()
    for seed in range(CURVES):
        rng = np.random.default_rng(seed)
        holds, values = hostile(rng)
        config = ImportConfig.model_validate({**JOB, "result": {"holds": holds}})
        first = int(rng.integers(1, len(days) - 60))
        rows = Rows("csv", "date", "it", days[first : first + len(values)], None, values)
        try:
            curve = curve_of(rows, config, feed.bars, config.episode.start_cash)
            span = (days[curve.span.t0].item(), days[curve.span.t1].item())
            told = judge_and_write(
                job, config, feed, curve, Imported("0" * 64, "date", "it", holds, *span, len(values))
            )
        except (ResultRefused, JobRefused) as refused:
            assert str(refused).endswith(".") and "\n" not in str(refused), seed
            ends["refused"] += 1
        else:
            json.dumps(told, allow_nan=False)
            ends["judged"] += 1
        capsys.readouterr()
    assert ends["judged"] > CURVES / 5 and ends["refused"] > CURVES / 5, ends


CASES = {
    "alternating": ("equity", lambda k: "1e308" if k % 2 else "1e-300",
                    r"Column it, row 2 of the file: equity 1e-300 on 2019-01-02; equity of 1e-06 to 1e\+15 is right"),
    "grown": ("returns", lambda k: "1e300" if k < 2 else "0.001",
              r"Column it, row 2 of the file: with this return 100000 has grown to 1e\+305 on 2019-01-02; equity of"),
    "without a year": ("equity", lambda k: "1" if k < 8 else "1e12",
                       r"more than e\^100 in a year.*\(the largest is \+1e\+12 on 2019-01-14\).*; judge more bars"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_right_is_told_with_row_and_day(importing: Import, days: list[str], name: str) -> None:
    from backtest.foreign import run

    holds, cell, sentence = CASES[name]
    content = "date,it\n" + "".join(f"{day},{cell(k)}\n" for k, day in enumerate(days[:12]))
    with pytest.raises(JobRefused, match=sentence):
        run.run(importing(content, **{**JOB, "result": {"holds": holds, "value": "it"}}))
