"""Through the site's own parts: a training of two seeds loses one, then its judge, and ends as one left alone."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from rl.config import TrainConfig
from runfiles import kernel, layout
from runs_app import places, services
from runs_app.executors import LocalExecutor
from runs_app.models import Run
from runs_app.reconciler import Reconciler
from tests.runs_app.test_resume_for_real import SMALL
from tests.waiting import until

TWO = {
    **SMALL,
    "training": {"total_timesteps": 24 * 128, "n_envs": 8, "eval_every": 1024, "checkpoint_every": 1024,
                 "seeds": [0, 1]},
    "evaluation": {"baselines": ["cash", "equal"], "bootstrap_paths": 1000, "cost_multipliers": [1.0],
                   "stress_windows": [], "capacity_multipliers": []},
}  # fmt: skip
NOT_OF_THE_REPORT = {"config", "command", "versions", "provenance", "dataset", "job_log", "events", "manifest"}


@pytest.mark.slow
def test_its_report_is_the_one_of_a_training_that_never_stopped(owner: Any, samples: Path, settings: Any) -> None:
    settings.RUN_SLOTS = settings.RUN_SLOTS_PER_USER = 1
    reconciler = Reconciler(LocalExecutor(), on_change=lambda run_id, seq: None)

    def turned_until(run: Run, *states: str, step: int = 0) -> Run:
        def look() -> bool:
            reconciler.turn()
            run.refresh_from_db()
            return run.state in states and (run.live.get("step") or 0) >= step

        until(look, within_s=240, what=f"{states}")
        return run

    def kill(run: Run) -> None:
        for pid in until(lambda: kernel.marked(str(run.id)), what="the job"):  # it comes a little after its lock
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    config, over = TrainConfig.model_validate(TWO), ("SUCCEEDED", "FAILED")
    try:
        first = services.start_training(owner=owner, config=config)
        done, stopped = first.trainings
        assert turned_until(done, *over).state == "SUCCEEDED"
        turned_until(stopped, "RUNNING", step=1024)
        checkpoint = places.run_folder(stopped.id) / layout.CHECKPOINT
        until(checkpoint.is_file, within_s=60, what="its first checkpoint")  # it comes a little after the news
        kill(stopped)
        turned_until(first, "FAILED")
        assert first.sentence.startswith("Seed 1 failed: ") and "checkpoint" in left(stopped)

        second = services.resume_training(run=first)
        turned_until(second, "RUNNING")
        kill(second)
        turned_until(second, "FAILED")
        assert [child.state for child in second.trainings] == ["SUCCEEDED"] * 2 and "seeds" not in left(second)

        third = services.resume_training(run=second)
        assert not third.children.exists()
        turned_until(third, *over)
        whole = turned_until(services.start_training(owner=owner, config=config), *over)
    finally:
        reconciler.close()
    assert (third.state, third.sentence) == ("SUCCEEDED", "") and third.trainings == second.trainings
    assert second.trainings[0] == done and second.trainings[1].source_run == stopped
    assert left(third) == left(whole) and {"summary", "report", "seeds", "equal.summary"} <= set(left(whole))
    assert (third.metrics, third.verdict, third.warnings) == (whole.metrics, whole.verdict, whole.warnings)


def left(run: Run) -> dict[str, str]:
    """Everything but what is of one run by its nature: paths, clocks and ids."""
    rows = run.artifacts.exclude(key__in=NOT_OF_THE_REPORT)
    return dict(rows.values_list("key", "sha256"))
