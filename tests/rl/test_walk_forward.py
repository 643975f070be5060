"""A real walk-forward: folds trained on bars of their own, one book handed on between them, against its parts alone."""

import csv
import dataclasses
import datetime as dt
import hashlib
import json
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backtest.run
from marketdata.catalog import Catalog, sessions
from marketdata.setup_samples import put_samples
from marketdata.store import EntryMeta, Store
from rl import train_ppo
from rl.config import CvConfig
from rl.together import judge_together
from rl.walk_forward import run
from runfiles import layout, report_tables, yamlio
from runfiles.events import EventWriter, read_events
from runfiles.job import Job, JobRefused, PartFailed, run_job
from runfiles.policy_list import Listed, PolicyList
from tests.rl.test_train_job import changed, datasets, report_of

__all__ = ("datasets",)
pytestmark = pytest.mark.slow
FOLDS, TEST, VALIDATION, LOOKBACK, EMBARGO = 2, 130, 100, 6, 5
SPLIT = {"n_folds": FOLDS, "test_bars": TEST, "validation_bars": VALIDATION, "embargo_bars": EMBARGO}
WALK: dict[str, Any] = {
    "split": SPLIT,
    "reward": {"mode": "diff_sharpe"},  # what the policy sees of its book hangs on all bars of it
    "training": {"total_timesteps": 512, "eval_every": 256, "seeds": [0]},
    "evaluation": {"cost_multipliers": [1.0], "stress_windows": [], "capacity_multipliers": []},
}


def asked(**changes: Any) -> dict[str, Any]:
    return changed({name: WALK.get(name, {}) | changes.get(name, {}) for name in {**WALK, **changes}})


def done(folder: Path, datasets: Path, job: Any = run, **changes: Any) -> Path:
    folder.mkdir()
    (folder / layout.CONFIG).write_text(yamlio.dump({"schema_version": 1, **asked(**changes)}))
    assert run_job(job, [str(folder), "--datasets", str(datasets)]) == 0
    return folder


@pytest.fixture(scope="module")
def walked(datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return done(tmp_path_factory.mktemp("runs") / "walked", datasets)


def summary_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / layout.REPORT / "summary.json").read_text())
    return found


def equity(folder: Path) -> list[float]:
    with (folder / layout.REPORT / "equity.csv").open() as stream:
        return [float(row["equity"]) for row in csv.DictReader(stream)]


def member(folder: Path, fold: int, seed: int = 0) -> Path:
    return folder / layout.member_folder(seed, fold)


def days_of(datasets: Path) -> Any:
    return sessions(Catalog(datasets).find("sample/us20"), dt.date(2014, 1, 2))


def begin_of(fold: int, days: Any) -> int:
    """The bar of a fold's first decision."""
    return len(days) - 1 - (FOLDS - fold) * TEST - TEST


def test_each_fold_learned_from_the_bars_before_its_own(walked: Path, datasets: Path) -> None:
    """With gap = L + embargo a fold tested from b on validates on b - gap - V to b - gap, trains to b - 2 gap - V."""
    days = days_of(datasets)
    for k, fold in enumerate(summary_of(walked)["split"]["folds"], start=1):
        begin, gap = begin_of(k, days), LOOKBACK + EMBARGO
        train, validation = fold["learned"]
        assert (fold["start"], fold["end"]) == (str(days[begin]), str(days[begin + TEST]))
        assert validation["start"] == str(days[begin - gap - VALIDATION])
        assert validation["end"] == fold["learned_until"] == str(days[begin - gap])
        assert train["end"] == str(days[begin - 2 * gap - VALIDATION])
        assert train["start"] == str(days[LOOKBACK + 20])  # the warm-up of volatility(20)


def scores_of(folder: Path) -> dict[int, float]:
    """The score on the validation range at each step that was looked at."""
    events = read_events(folder / layout.EVENTS, 0, limit=1 << 24)[0]
    looks = [event["data"] for event in events if {"step", "validation_score"} <= event["data"].keys()]
    return {look["step"]: look["validation_score"] for look in looks}


def test_the_step_that_was_chosen_is_that_of_its_own_run(walked: Path) -> None:
    for fold in summary_of(walked)["split"]["folds"]:
        scores = scores_of(member(walked, fold["fold"]))
        assert len(scores) == 2 and fold["steps"] == [max(scores, key=lambda step: scores[step])]


def test_the_book_begins_as_the_first_folds_and_is_never_begun_again(walked: Path) -> None:
    stitched, first, second = equity(walked), equity(member(walked, 1)), equity(member(walked, 2))
    assert stitched[: TEST + 1] == first and len(stitched) == FOLDS * TEST + 1
    assert second[0] == first[0] != stitched[TEST]
    summary = summary_of(walked)
    assert summary["verdict"]["seen"] == 0 and summary["verdict"]["n_bars"] == FOLDS * TEST
    made = np.prod([1 + fold["total_return"] for fold in summary["split"]["folds"]])
    assert made == pytest.approx(stitched[-1] / stitched[0], rel=1e-12)
    assert summary["stamps"][0].startswith("Walk-forward: one book goes through 2 folds;")
    assert summary["verdict"]["leak_gate"] == "passed"
    page = (walked / layout.REPORT / layout.REPORT_HTML).read_text()
    assert "has learned from nothing" not in page
    spec = next(one for one in report_tables.TABLES if one.key == "learned")
    told = unescape(page)
    assert spec.title in told
    assert spec.note in told and all(f'title="{column.definition}"' in told for column in spec.columns)


def test_one_fold_is_the_plain_training_of_it(datasets: Path, tmp_path: Path) -> None:
    walk = done(tmp_path / "walk", datasets, split={"n_folds": 1})
    one = {"scheme": "walk_forward", "n_folds": 1, "fold": 1}
    plain = done(tmp_path / "plain", datasets, train_ppo.run, split=one)
    assert report_of(walk) == report_of(plain)
    assert (walk / layout.member_policy(0, 1)).read_bytes() == (plain / layout.BEST_POLICY).read_bytes()


def test_a_fold_is_the_training_on_its_days(walked: Path, datasets: Path, tmp_path: Path) -> None:
    fold = summary_of(walked)["split"]["folds"][0]
    ranges = [{"start": one["start"], "end": one["end"]} for one in (*fold["learned"], fold)]
    config = asked() | {"split": {"scheme": "custom_ranges", "custom_ranges": ranges, "embargo_bars": EMBARGO}}
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / layout.CONFIG).write_text(yamlio.dump({"schema_version": 1, **config}))
    assert run_job(train_ppo.run, [str(folder), "--datasets", str(datasets)]) == 0
    for name in (layout.LAST_POLICY, layout.BEST_POLICY):
        assert (folder / name).read_bytes() == (member(walked, 1) / name).read_bytes()
    assert equity(folder) == equity(member(walked, 1))


def judged(folder: Path, datasets: Path, config: dict[str, Any]) -> Path:
    backtest.run.run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), config))
    return folder


def backtested(**more: Any) -> dict[str, Any]:
    config = {key: value for key, value in asked().items() if key in ("dataset", "evaluation")}
    split = SPLIT | {"scheme": "walk_forward"}
    return {**config, "split": split, "run_id": "00000000-0000-4000-8000-000000000000", **more}


def test_one_policy_in_all_folds_is_its_backtest_over_all_of_them(walked: Path, datasets: Path, tmp_path: Path) -> None:
    policy = (walked / layout.member_policy(0, 1)).read_bytes()
    sha256 = hashlib.sha256(policy).hexdigest()
    stitched, alone = tmp_path / "stitched", tmp_path / "alone"
    (stitched / layout.MEMBERS).mkdir(parents=True)
    for fold in (1, 2):
        (stitched / layout.member_policy(0, fold)).write_bytes(policy)
    listed = PolicyList((Listed(1, 0, sha256), Listed(2, 0, sha256)), PolicyList.read(walked).folds)
    listed.write(stitched)
    judged(stitched, datasets, backtested(policy_sha256=listed.sha256))
    alone.mkdir()
    (alone / layout.JUDGED_POLICY).write_bytes(policy)
    judged(alone, datasets, backtested(policy_sha256=sha256))

    one, other = report_of(stitched), report_of(alone)
    same = ("equity.csv", "orders.csv", "trades.csv", "weights.csv", "metrics.csv", "rolling.csv", "intervals.csv")
    assert {name: one[name] for name in same} == {name: other[name] for name in same}
    assert summary_of(stitched)["split"]["folds"] == summary_of(alone)["split"]["folds"]
    assert one["equity.csv"] != report_of(walked)["equity.csv"]


def again(walked: Path, folder: Path) -> Path:
    """A run directory as the server makes it: the policies and their list, no training's own run."""
    (folder / layout.MEMBERS).mkdir(parents=True)
    for one in PolicyList.read(walked).policies:
        shutil.copy(walked / one.path, folder / one.path)
    shutil.copy(walked / layout.MEMBERS_LIST, folder / layout.MEMBERS_LIST)
    return folder


def test_the_servers_judge_and_a_backtest_leave_the_same_tables(walked: Path, datasets: Path, tmp_path: Path) -> None:
    folder = again(walked, tmp_path / "server")
    run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), asked()))
    assert report_of(folder) == report_of(walked)

    folder = again(walked, tmp_path / "backtest")
    judged(folder, datasets, backtested(policy_sha256=PolicyList.read(folder).sha256))
    assert report_of(folder) == report_of(walked)


def test_a_backtest_on_other_days_counts_what_the_policy_in_charge_learned_from(
    walked: Path, datasets: Path, tmp_path: Path
) -> None:
    """The first fold's test bars taught the second policy, not in charge there; its own training bars count."""
    first, second = summary_of(walked)["split"]["folds"]
    folder = again(walked, tmp_path / "tests")
    days = {"start": first["start"], "end": second["end"], "policy_sha256": PolicyList.read(folder).sha256}
    config = {name: value for name, value in backtested(**days).items() if name != "split"}
    assert summary_of(judged(folder, datasets, config))["verdict"]["seen"] == 0
    assert equity(folder) == equity(walked)

    folder = again(walked, tmp_path / "before")
    config |= {"start": first["learned"][1]["start"], "end": first["end"]}
    assert summary_of(judged(folder, datasets, config))["verdict"]["seen"] == VALIDATION


def test_bars_after_a_folds_validation_leave_its_policy_as_it_is(walked: Path, datasets: Path, tmp_path: Path) -> None:
    """Its test bars, and all later ones, made otherwise: the same bytes, and the same scores on the way to them. The
    next fold learns from some of these.
    """
    root, days = tmp_path / "datasets", days_of(datasets)
    altered_dataset(root, days[begin_of(1, days) - LOOKBACK - EMBARGO])
    folder = done(tmp_path / "altered", root, dataset={"id": "test/altered"})
    for name in (layout.LAST_POLICY, layout.BEST_POLICY):
        assert (member(folder, 1) / name).read_bytes() == (member(walked, 1) / name).read_bytes()
        assert (member(folder, 2) / name).read_bytes() != (member(walked, 2) / name).read_bytes()
    assert scores_of(member(folder, 1)) == scores_of(member(walked, 1))
    assert scores_of(member(folder, 2)) != scores_of(member(walked, 2))
    assert equity(folder) != equity(walked)


def altered_dataset(root: Path, until: Any) -> None:
    """The sample as `test/altered`, each close after a day times a walk of its own."""
    put_samples(Store(root))
    bars = Store(root).load(Catalog(root).find("sample/us20").version)
    later = bars.session > until
    steps = np.random.default_rng(5).normal(0, 0.03, bars.close.shape) * later[:, None]
    changes = {"close": bars.close * np.exp(np.cumsum(steps, axis=0))}
    assert bars.open is None and bars.high is None
    meta = EntryMeta("test/altered", "Altered", "unknown", "2022-12-28", "by hand", "none")
    Store(root).put(dataclasses.replace(bars, **changes), meta)


def test_a_fold_that_fails_is_named_and_the_others_files_stay(datasets: Path, tmp_path: Path) -> None:
    config = asked()

    def train(job: Job) -> None:
        if job.config["split"]["fold"] == 2:
            raise JobRefused("Nothing can be learned today.")
        train_ppo.run(job)

    with pytest.raises(PartFailed, match="Fold 2, seed 0 did not end well: Nothing can be learned today"):
        judge_together(Job(tmp_path, datasets, EventWriter(tmp_path / layout.EVENTS), config),
                       CvConfig.model_validate(config), train)  # fmt: skip
    assert (member(tmp_path, 1) / layout.BEST_POLICY).is_file() and summary_of(member(tmp_path, 1))
    assert not (tmp_path / layout.MEMBERS_LIST).exists() and not (tmp_path / layout.REPORT).exists()


def test_each_seed_is_a_walk_forward_of_its_own(walked: Path, datasets: Path, tmp_path: Path) -> None:
    folder = done(tmp_path / "seeds", datasets, training={"seeds": [3, 0]})
    with (folder / layout.REPORT / "seeds_equity.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["seed_0"]) for row in rows] == equity(walked)
    assert equity(folder) == pytest.approx([float(row["seed_0"]) + float(row["seed_3"]) for row in rows], rel=1e-12)
    summary = summary_of(folder)
    assert [row["seed"] for row in summary["seeds"]["rows"]] == [3, 0] and summary["verdict"]["trials"] == 2
    assert summary["label"] == "PPO policy (2 seeds)"
    assert all(len(fold["steps"]) == 2 for fold in summary["split"]["folds"])
