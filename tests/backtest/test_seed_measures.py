"""One measure for each name on a page of several seeds: what is run again, drawn or diagnosed is the median of what
each seed's own report says, as the figures are, and what can only be of all books says so.
"""

import csv
import html
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import judge, run
from backtest.case import Case
from backtest.config import BacktestConfig
from backtest.diagnosis_facts import facts_of
from backtest.feed import load_feed, read_config
from backtest.runner import run_prepared
from runfiles import layout, yamlio
from runfiles.events import EventWriter
from runfiles.job import Job
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.ledger import Ledger
from simulator.market import Market

SEEDS = (4, 0, 7, 2)
pytestmark = pytest.mark.slow
CONFIG: dict[str, Any] = {
    "policy": "equal",
    "dataset": {"id": "sample/us20", "symbols": ["AAPL", "KO", "XOM"]},
    "start": "2019-06-03",
    "end": "2020-06-30",
    "evaluation": {
        "baselines": ["cash", "buy_hold", "equal"], "bootstrap_paths": 1000, "metric_bootstrap_paths": 200,
        "cost_multipliers": [1.0, 2.0], "delays": [3], "capacity_multipliers": [], "rolling_window": 60,
        "stress_windows": ["covid_2020"],
    },
}  # fmt: skip
FIGURES = ("total_return", "cagr", "sharpe", "turnover", "cost_drag_bps")


class Restless:
    """Weights of a week drawn from its seed and the bar, and nothing else."""

    key = "policy"
    layers = "mandate"

    def __init__(self, seed: int, others: tuple[int, ...] = ()) -> None:
        self.seed, self.others = seed, others

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """Nothing to look at."""

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions:
        bars = np.arange(t0, t1, 5)
        drawn = [np.random.default_rng([self.seed, int(t)]).dirichlet(np.ones(market.n_assets)) for t in bars]
        return Decisions(bars, np.array(drawn) * (0.3 + 0.2 * (self.seed % 4)))

    def decide(self, t: int, session: BookSession) -> None:
        raise NotImplementedError

    def family(self) -> tuple[int, ...]:
        return (self.seed, *self.others)


class Family(Restless):
    """Several of them as one subject."""

    def __init__(self, seeds: tuple[int, ...]) -> None:
        self.seeds, self.members = seeds, tuple(Restless(seed) for seed in seeds)

    def books(self, market: Market, config: SimulatorConfig, t0: int, t1: int) -> list[Ledger]:
        return [run_prepared(one, market, config, t0, t1)[0] for one in self.members]

    def family(self) -> tuple[int, ...]:
        return self.seeds


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("family")


def judged(root: Path, datasets: Path, name: str, subject: Any, **changes: Any) -> Path:
    """The report of the subject."""
    folder = root / name
    if not folder.exists():
        folder.mkdir()
        config = CONFIG | {"evaluation": CONFIG["evaluation"] | changes}
        (folder / layout.CONFIG).write_text(yamlio.dump(config))
        job = Job(folder, datasets, EventWriter(folder / layout.EVENTS), config)
        checked = read_config(job, BacktestConfig)
        feed = load_feed(job, checked.dataset)
        judge.judge_and_write(job, checked, feed, run.judged_range(checked, feed), subject)
    return folder / layout.REPORT


@pytest.fixture(scope="module")
def together(root: Path, datasets: Path) -> Path:
    return judged(root, datasets, "together", Family(SEEDS))


@pytest.fixture(scope="module")
def alone(root: Path, datasets: Path) -> list[Path]:
    return [judged(root, datasets, f"alone{seed}", Restless(seed)) for seed in SEEDS]


def content(report: Path, name: str) -> Any:
    return json.loads((report / f"{name}.json").read_text())


def own(row: dict[str, Any]) -> dict[str, Any]:
    """The subject's figures of a re-run."""
    found: dict[str, Any] = row["strategies"][0]
    return found


def column(report: Path, file: str, name: str) -> np.ndarray:
    with (report / file).open() as stream:
        return np.array([float(row[name] or "nan") for row in csv.DictReader(stream)])


def test_the_rows_of_what_was_configured_are_the_figures(together: Path) -> None:
    summary, found = content(together, "summary"), content(together, "sensitivity")
    for row in (found["rows"][0], found["delays"][0]):
        assert {key: own(row)[key] for key in FIGURES} == {key: summary["metrics"][key] for key in FIGURES}
        assert row["excess_per_year"] == pytest.approx(summary["verdict"]["excess_per_year"], rel=1e-12)


@pytest.mark.parametrize(("file", "rows", "place"), [("sensitivity", "rows", 1), ("sensitivity", "delays", 1)])
def test_what_is_run_again_is_the_median_of_the_seeds_own_reports(
    together: Path, alone: list[Path], file: str, rows: str, place: int
) -> None:
    each = [own(content(report, file)[rows][place]) for report in alone]
    told = own(content(together, file)[rows][place])
    for key in (*FIGURES, "cost_bps", "filled"):
        assert told[key] == np.median([one[key] for one in each]), key


def test_a_crisis_is_the_median_of_the_seeds_own_reports(together: Path, alone: list[Path]) -> None:
    each = [own(content(report, "stress")["rows"][0]) for report in alone]
    told = own(content(together, "stress")["rows"][0])
    for key in ("total_return", "max_drawdown", "volatility", "turnover", "cost_bps", "n_orders"):
        assert told[key] == np.median([one[key] for one in each]), key


def test_rolling_figures_and_costs_of_equity_are_medians(together: Path, alone: list[Path]) -> None:
    for name in ("sharpe", "volatility", "beta"):
        each = [column(report, "rolling.csv", name) for report in alone]
        assert column(together, "rolling.csv", name) == pytest.approx(np.median(each, axis=0), rel=1e-12)
    metrics = content(together, "summary")["metrics"]
    told = dict(zip(("fees", "spread", "impact", "borrow", "interest"), column(together, "costs.csv", "bps_per_year"),
                    strict=True))  # fmt: skip
    assert told == {key: metrics[f"cost_{key}_bps"] for key in told}


def test_the_diagnosis_speaks_of_the_figures(root: Path, datasets: Path, together: Path) -> None:
    case = examined(root, datasets, Family(SEEDS))
    facts, metrics = facts_of(case), content(together, "summary")["metrics"]
    told = (facts.max_drawdown, facts.n_trades, facts.exposure, facts.mean_gross)
    assert told == pytest.approx([metrics[key] for key in ("max_drawdown", "n_trades", "exposure", "gross")], rel=1e-12)
    assert facts.max_drawdown != case.subject.ledger.drawdown.min()  # nor of the books added up


def examined(root: Path, datasets: Path, subject: Any) -> Case:
    folder = root / "examined"
    folder.mkdir()
    job = Job(folder, datasets, EventWriter(folder / layout.EVENTS), CONFIG)
    (folder / layout.CONFIG).write_text(yamlio.dump(CONFIG))
    config = read_config(job, BacktestConfig)
    feed = load_feed(job, config.dataset)
    return judge.examine(job, config, feed, run.judged_range(config, feed), subject, None)


def page_of(report: Path) -> str:
    return html.unescape((report / layout.REPORT_HTML).read_text())


def cells(page: str, label: str) -> list[str]:
    row = re.search(rf'<tr><th scope="row">{re.escape(label)}<.*?</tr>', page, re.S)
    assert row is not None, label
    return re.findall(r"<td[^>]*>(.*?)</td>", row.group())


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", "").rstrip(" %"))


def test_headline_sentence_and_table_say_the_same(together: Path) -> None:
    """Read off the page: the excess, its ends and its median, and the table's mean is the verdict's excess."""
    page, verdict = page_of(together), content(together, "summary")["verdict"]
    ends = r"each alone from (\S+) % to (\S+) %, median (\S+) %"
    headline, sentence = re.findall(ends, page)[:2]
    assert [number(text) for text in headline] == pytest.approx([number(text) for text in sentence], abs=0.051)
    median, _, mean, *points = cells(page, "Excess over the baseline of the verdict")
    assert median == headline[2] and points == [f"{x}" for x in points]
    assert (min(points, key=number), max(points, key=number)) == headline[:2]
    assert number(mean) == pytest.approx(100 * verdict["excess_per_year"], rel=5e-3)
    assert [number(x) / 100 for x in points] == pytest.approx(verdict["seed_points"], rel=5e-3)
    logs = np.log1p(verdict["seed_points"])
    assert math.expm1(logs.mean()) == pytest.approx(verdict["excess_per_year"], rel=1e-9)
    assert number(median) == pytest.approx(100 * math.expm1(np.median(logs)), rel=5e-3)


def test_the_second_excess_is_what_each_seeds_own_report_says(together: Path, alone: list[Path]) -> None:
    rows = content(together, "summary")["seeds"]["rows"]
    told = [content(report, "summary")["verdict"] for report in alone]
    assert [row["least_excess_per_year"] for row in rows] == pytest.approx([one["excess_per_year"] for one in told])
    assert [row["baseline"] for row in rows] == [one["baseline"] for one in told]
    assert all(row["least_excess_per_year"] <= row["excess_per_year"] + 1e-12 for row in rows)


def test_what_is_of_all_books_says_so_in_its_title(together: Path, alone: list[Path]) -> None:
    page, of_one = page_of(together), page_of(alone[0])
    for title in (
        "Equity, as a multiple of the start", "Drawdown, %", "Weights, %", "Deepest drawdowns", "What was paid",
        "Long and short", "By symbol",
    ):  # fmt: skip
        assert f"<h2>{title}, all seeds' books added up" in page or f'<h2 class="next">{title}, all seeds' in page, (
            title
        )
    assert "return of each month and year, %, all seeds' books added up" in page
    assert "books added up" not in of_one and "Of several seeds" not in of_one


def test_intervals_of_metrics_say_that_the_seeds_are_held_fixed(together: Path, alone: list[Path]) -> None:
    def kinds(report: Path) -> set[str]:
        with (report / "intervals.csv").open() as stream:
            return {row["kind"] for row in csv.DictReader(stream)}

    assert (kinds(together), kinds(alone[0])) == ({"seeds_fixed", "range"}, {"interval", "range"})
    assert kinds(together / "baselines" / "buy_hold") == {"interval", "range"}
    page = page_of(together)
    assert "How far by luck of the bars, the seeds held fixed" in page and "95 %, seeds held fixed" in page


def test_one_of_several_seeds_counts_the_others(root: Path, datasets: Path, alone: list[Path]) -> None:
    others = tuple(seed for seed in SEEDS if seed != 4)
    child, lone = content(judged(root, datasets, "child", Restless(4, others)), "summary"), content(alone[0], "summary")
    assert (child["verdict"]["trials"], lone["verdict"]["trials"]) == (4, 1)
    assert child["metrics"]["dsr"] < lone["metrics"]["dsr"]
    assert any(
        text.startswith("Seed 4 is one of 4 seeds of one training (the others: 0, 7, 2)") for text in child["stamps"]
    )
    assert not any("first look" in text for text in child["stamps"])
    for key in ("sharpe", "cagr"):
        assert child["metrics"][key] == lone["metrics"][key]


def test_more_trials_than_seeds_stay(root: Path, datasets: Path) -> None:
    found = judged(root, datasets, "raised", Restless(4, (1, 2)), trials=9, delays=[], stress_windows=[])
    assert content(found, "summary")["verdict"]["trials"] == 9
