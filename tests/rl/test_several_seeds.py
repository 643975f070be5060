"""A real training with several seeds: what its report says, against numpy on the files of each seed's own run."""

import csv
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backtest.run
from rl.config import TrainConfig
from rl.together import judge_together
from rl.train_ppo import run
from runfiles import layout, yamlio
from runfiles.events import EventWriter
from runfiles.job import Job, JobDiverged, JobRefused, run_job, run_part
from runfiles.metric_keys import HEADLINE
from runfiles.policy_list import Listed, PolicyList
from tests.rl.test_train_job import changed, datasets, report_of

__all__ = ("datasets",)
pytestmark = pytest.mark.slow
SEEDS = (4, 0, 2)
FEW: dict[str, Any] = {
    "training": {"total_timesteps": 256, "seeds": list(SEEDS)},
    "evaluation": {"cost_multipliers": [1.0], "stress_windows": [], "capacity_multipliers": []},
}


@pytest.fixture(scope="module")
def judged(datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "all"
    folder.mkdir()
    (folder / layout.CONFIG).write_text(yamlio.dump({"schema_version": 1, **changed(FEW)}))
    assert run_job(run, [str(folder), "--datasets", str(datasets)]) == 0
    return folder


def summary_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / layout.REPORT / "summary.json").read_text())
    return found


def equity(folder: Path, baseline: str = "") -> Any:
    report = folder / layout.REPORT
    path = report / layout.BASELINES / baseline / "equity.csv" if baseline else report / "equity.csv"
    with path.open() as stream:
        return np.array([float(row["equity"]) for row in csv.DictReader(stream)])


def growth(values: Any) -> Any:
    return np.diff(np.log(values))


def seed_runs(judged: Path) -> list[Path]:
    return [judged / layout.member_folder(seed) for seed in SEEDS]


def test_the_excess_is_the_mean_over_the_seeds_own_files(judged: Path) -> None:
    verdict = summary_of(judged)["verdict"]
    own = np.array([growth(equity(folder)) for folder in seed_runs(judged)])
    others = {key: growth(equity(judged, key)) for key in ("cash", "buy_hold", "equal")}
    theta = {key: 252 * (own.mean(axis=0) - other).mean() for key, other in others.items()}
    hardest = min(theta, key=lambda key: theta[key])
    points = [252 * (one - others[hardest]).mean() for one in own]
    leasts = [min(252 * (one - other).mean() for other in others.values()) for one in own]

    assert verdict["baseline"] == hardest and (verdict["seeds"], verdict["trials"]) == (3, 3)
    assert verdict["excess_per_year"] == pytest.approx(np.expm1(theta[hardest]), rel=1e-9)
    assert verdict["seed_points"] == pytest.approx(np.expm1(points), rel=1e-9)
    rows = summary_of(judged)["seeds"]["rows"]
    assert [row["least_excess_per_year"] for row in rows] == pytest.approx(np.expm1(leasts), rel=1e-9)
    told = next(one for one in summary_of(judged)["seeds"]["spread"] if one["key"] == "excess_per_year")
    assert told["mean"] == pytest.approx(verdict["excess_per_year"], rel=1e-9)
    assert told["median"] == pytest.approx(np.expm1(np.median(points)), rel=1e-9)
    assert verdict["low"] < verdict["excess_per_year"] < verdict["high"]


def test_metrics_are_medians_and_the_spread_is_told(judged: Path) -> None:
    summary = summary_of(judged)
    each = [summary_of(folder)["metrics"] for folder in seed_runs(judged)]
    for key in HEADLINE:
        values = [metrics[key] for metrics in each]
        told = next(one for one in summary["seeds"]["spread"] if one["key"] == key)
        assert summary["metrics"][key] == told["median"] == pytest.approx(np.median(values), rel=1e-12)
        assert told["mean"] == pytest.approx(np.mean(values), rel=1e-12)
        assert [told["q1"], told["q3"]] == pytest.approx(np.quantile(values, [0.25, 0.75]), rel=1e-12)
    assert [row["seed"] for row in summary["seeds"]["rows"]] == list(SEEDS)


def test_each_seeds_own_report_counts_the_others(judged: Path, datasets: Path, tmp_path: Path) -> None:
    """Now, and in a later backtest of its policy, whose file alone tells of them."""
    for seed, folder in zip(SEEDS, seed_runs(judged), strict=True):
        own = summary_of(folder)
        others = ", ".join(str(other) for other in SEEDS if other != seed)
        assert own["verdict"]["trials"] == 3
        assert any(f"Seed {seed} is one of 3 seeds of one training (the others: {others})" in x for x in own["stamps"])
    shutil.copy(judged / layout.member_policy(0), tmp_path / layout.JUDGED_POLICY)
    sha256 = hashlib.sha256((tmp_path / layout.JUDGED_POLICY).read_bytes()).hexdigest()
    asked = {key: value for key, value in changed(FEW).items() if key in ("dataset", "evaluation")}
    config = asked | {"run_id": "00000000-0000-4000-8000-000000000000", "policy_sha256": sha256}
    backtest.run.run(Job(tmp_path, datasets, EventWriter(tmp_path / layout.EVENTS), config))
    assert summary_of(tmp_path) == summary_of(seed_runs(judged)[1])


def test_every_seeds_book_is_that_of_its_own_run(judged: Path) -> None:
    with (judged / layout.REPORT / "seeds_equity.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    own = [equity(folder) for folder in seed_runs(judged)]
    for seed, values in zip(SEEDS, own, strict=True):
        assert [float(row[f"seed_{seed}"]) for row in rows] == values.tolist()
    for name, share in (("low", 0), ("q1", 0.25), ("median", 0.5), ("q3", 0.75), ("high", 1)):
        assert [float(row[name]) for row in rows] == pytest.approx(np.quantile(own, share, axis=0), rel=1e-12)
    assert equity(judged) == pytest.approx(np.sum(own, axis=0), rel=1e-12)


def test_the_report_leads_with_the_spread(judged: Path) -> None:
    page = (judged / layout.REPORT / layout.REPORT_HTML).read_text()
    assert "in the mean of 3 seeds (each alone from" in page
    assert page.index("Middle half") < page.index("Against each baseline") and "Seed 4</th>" in page
    assert summary_of(judged)["label"] == "PPO policy (3 seeds)"


def again(judged: Path, folder: Path) -> Path:
    """A run directory as the server makes it: the policies and their list, no seed's own run."""
    (folder / layout.MEMBERS).mkdir(parents=True)
    for seed in SEEDS:
        shutil.copy(judged / layout.member_policy(seed), folder / layout.member_policy(seed))
    shutil.copy(judged / layout.MEMBERS_LIST, folder / layout.MEMBERS_LIST)
    return folder


def test_the_servers_judge_and_a_backtest_leave_the_same_tables(judged: Path, datasets: Path, tmp_path: Path) -> None:
    folder = again(judged, tmp_path / "server")
    run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), changed(FEW)))
    assert report_of(folder) == report_of(judged)

    folder = again(judged, tmp_path / "backtest")
    list_sha = hashlib.sha256((folder / layout.MEMBERS_LIST).read_bytes()).hexdigest()
    asked = {key: value for key, value in changed(FEW).items() if key in ("dataset", "evaluation")}
    config = asked | {"run_id": "00000000-0000-4000-8000-000000000000", "policy_sha256": list_sha}
    backtest.run.run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), config))
    assert report_of(folder) == report_of(judged)


def test_another_policy_or_list_is_refused(judged: Path, datasets: Path, tmp_path: Path) -> None:
    folder = again(judged, tmp_path / "server")
    shutil.copy(folder / layout.member_policy(0), folder / layout.member_policy(2))
    with pytest.raises(JobRefused, match="sha256 differs"):
        run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), changed(FEW)))
    PolicyList((Listed(None, 0, "0" * 64),)).write(folder)
    with pytest.raises(JobRefused, match="must name 2 to 16 seeds"):
        run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), changed(FEW)))


def test_a_second_start_judges_what_is_there_under_its_own_configuration_alone(
    judged: Path, datasets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, before = tmp_path / "twice", report_of(judged)
    shutil.copytree(judged, folder)
    arguments = [str(folder), "--datasets", str(datasets)]
    shutil.rmtree(folder / layout.REPORT)
    assert run_job(run, arguments) == 0 and report_of(folder) == before
    assert "3 trainings lie here already: they are judged, none is trained" in capsys.readouterr().out

    for changes, words in (
        ({"training": {"total_timesteps": 256, "seeds": [11, 12]}}, "names seeds 4, 0, 2, and config.yaml asks for"),
        ({"model": {"net_arch": [32]}}, "Seed 4 in the run directory was trained with other model"),
        ({"fees": {"taker_bps": 33.0}}, "Seed 4 in the run directory was trained by another configuration"),
    ):
        (folder / layout.CONFIG).write_text(yamlio.dump({"schema_version": 1, **changed(FEW | changes)}))
        assert run_job(run, arguments) == 3
        assert words in capsys.readouterr().err and report_of(folder) == before


def test_a_seed_that_diverges_ends_all_as_diverged(datasets: Path, tmp_path: Path) -> None:
    (tmp_path / layout.CONFIG).write_text(yamlio.dump({"schema_version": 1, **changed(FEW)}))

    def train(job: Job) -> None:
        raise JobDiverged("The numbers are none.")

    def main(job: Job) -> None:
        judge_together(job, TrainConfig.model_validate(job.config), train)

    end = run_part(main, [str(tmp_path), "--datasets", str(datasets)])
    assert (end.code, end.end) == (3, "diverged")
    assert end.sentence == "Seed 4 did not end well: The numbers are none."
