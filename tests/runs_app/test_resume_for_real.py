"""Through the site's own parts: a training is cancelled while it learns, resumed, and ends as one left alone."""

from pathlib import Path
from typing import Any

import pytest

from rl.config import TrainConfig
from runs_app import services
from runs_app.executors import LocalExecutor
from runs_app.models import Run
from runs_app.reconciler import Reconciler
from tests.waiting import until

SMALL = {
    "dataset": {"id": "sample/us20", "symbols": ["AAPL", "KO", "XOM"], "start": "2014-01-02"},
    "features": {"feature_set": ["ohlcv"], "lookback": 6},
    "evaluation": {"baselines": ["cash", "equal"], "bootstrap_paths": 1000},
    "model": {"n_steps": 16, "batch_size": 64},
    "training": {"total_timesteps": 100 * 128, "n_envs": 8, "eval_every": 1024, "seeds": [0]},
}
KEYS = ("model", "best_model", "checkpoint", "metrics", "equity", "orders", "summary", "report")


@pytest.mark.slow
def test_cancelled_and_resumed_it_leaves_what_it_would_have_left(owner: Any, samples: Path, settings: Any) -> None:
    settings.RUN_SLOTS = settings.RUN_SLOTS_PER_USER = 1
    reconciler = Reconciler(LocalExecutor(), on_change=lambda run_id, seq: None)

    def turned_until(run: Run, *states: str, step: int = 0) -> Run:
        def look() -> bool:
            reconciler.turn()
            run.refresh_from_db()
            return run.state in states and (run.live.get("step") or 0) >= step

        until(look, within_s=120, what=f"{states}")
        return run

    def left(run: Run) -> dict[str, str]:
        return dict(run.artifacts.filter(key__in=KEYS).values_list("key", "sha256"))

    config = TrainConfig.model_validate(SMALL)
    try:
        first = turned_until(services.start_training(owner=owner, config=config), "RUNNING", step=2048)
        services.cancel_run(run=first)
        turned_until(first, "CANCELLED")
        assert {"checkpoint", "progress", "best_model"} <= {row.key for row in first.artifacts.all()}
        assert "metrics" not in left(first)
        second = turned_until(services.resume_training(run=first), "SUCCEEDED", "FAILED")
        whole = turned_until(services.start_training(owner=owner, config=config), "SUCCEEDED", "FAILED")
    finally:
        reconciler.close()
    assert (second.state, second.sentence) == ("SUCCEEDED", "")
    assert second.warnings == whole.warnings
    assert left(second) == left(whole) and len(left(whole)) == len(KEYS)
    assert (second.metrics, second.verdict) == (whole.metrics, whole.verdict)
