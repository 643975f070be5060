"""Trainings of several seeds that have stopped: rows and files of any bytes, as jobs and the reconciler leave them."""

from typing import Any

from django.utils import timezone

from rl.config import TrainConfig
from runfiles import layout, manifest
from runs_app import judged, places, services
from runs_app.models import Artifact, Run

SEEDS = (7, 3, 5)
CONFIG = TrainConfig.model_validate({"training": {"seeds": list(SEEDS)}, "out_tag": "mine"})


def policy_of(seed: int) -> bytes:
    return f"policy of seed {seed}".encode()


def checkpoint_of(seed: int) -> bytes:
    return f"checkpoint of seed {seed}".encode()


def end(run: Run, state: str, files: dict[str, bytes] | None = None, **columns: Any) -> Run:
    """Let a run end in `state` with these files, by their keys, beside its configuration."""
    folder = places.run_folder(run.id)
    for key, content in (files or {}).items():
        path = folder / layout.FILES[key].path
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    Run.objects.filter(pk=run.pk).update(state=state, ended=timezone.now(), **columns)
    rows = [manifest.entry(folder, spec) for spec in manifest.existing(folder)]
    Artifact.objects.bulk_create(Artifact(run=run, **row) for row in rows)
    run.refresh_from_db()
    return run


def trained(run: Run) -> Run:
    seed = run.seeds[0]
    return end(run, "SUCCEEDED", {"best_model": policy_of(seed), "checkpoint": checkpoint_of(seed)})


def stopped(run: Run, state: str = "CANCELLED") -> Run:
    return end(run, state, {"checkpoint": checkpoint_of(run.seeds[0]), "progress": b"a,b\n1,2\n"})


def failed_family(owner: Any) -> tuple[Run, list[Run]]:
    """The first seed was trained, the second stopped with a checkpoint, the third was never begun."""
    parent = services.start_training(owner=owner, config=CONFIG)
    first, second, third = parent.trainings
    children = [trained(first), stopped(second), end(third, "CANCELLED")]
    return end(parent, "FAILED", name="n", reason="seeds"), children


def bring(run: Run) -> None:
    """Bring the policies of a parent together, as its reconciler does, and no more."""
    judged.copy_members(judged.members_of(run, run.config["evaluation"]["policy"]), places.run_folder(run.id))
