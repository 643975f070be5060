"""Going on with a training: a new run of the same configuration, its checkpoints copied and held against our rows."""

import errno
import hashlib
import os
import shutil
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rl.config import TrainConfig
from runfiles import atomic, layout, manifest, resume
from runs_app import harvest, places, services
from runs_app import resume as going_on
from runs_app.models import Artifact, Run
from runs_app.resume import NotResumable
from runs_app.resume_parent import can_go_on
from tests.runs_app.families import end

ONE_SEED = TrainConfig.model_validate({"training": {"seeds": [0]}, "out_tag": "mine"})
CONTENT = {"checkpoint": b"the last", "checkpoint_before": b"the one before"}


def stopped(owner: Any, state: str = "CANCELLED", content: dict[str, bytes] = CONTENT) -> Run:
    """A training that has stopped, with checkpoints of any bytes: the site never reads what is in them."""
    run = services.start_training(owner=owner, config=ONE_SEED)
    folder = places.run_folder(run.id)
    files = {layout.FILES[key].path: told for key, told in content.items()}
    files |= {layout.PROGRESS_CSV: b"a,b\n1,2\n", "tb/events.out.tfevents.1": b"curve"}
    for path, told in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(told)
    Run.objects.filter(pk=run.pk).update(state=state, ended=None if state in Run.ACTIVE else timezone.now(), name="n")
    Artifact.objects.bulk_create(
        Artifact(run=run, **manifest.entry(folder, spec)) for spec in manifest.existing(folder)
    )
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("state", ["CANCELLED", "FAILED", "INTERRUPTED"])
def test_it_goes_on_as_a_new_run(owner: Any, samples: Path, state: str) -> None:
    run = stopped(owner, state)
    again = services.resume_training(run=run)
    assert again.id != run.id and (again.source_run, again.owner, again.name) == (run, owner, "n")
    assert (again.state, again.kind, again.config, again.config_hash) == (
        "QUEUED", "train", run.config, run.config_hash
    )  # fmt: skip
    old, new = places.run_folder(run.id), places.run_folder(again.id)
    for name in (layout.CONFIG, layout.PROVENANCE, layout.PROGRESS_CSV, "tb/events.out.tfevents.1"):
        assert (new / name).read_bytes() == (old / name).read_bytes()
    told = resume.read(new)
    assert told == [resume.Named("last.zip", _sha(b"the last")), resume.Named("before.zip", _sha(b"the one before"))]
    assert [(new / layout.RESUMED / each.file).read_bytes() for each in told] == list(CONTENT.values())
    assert not (new / "checkpoints").exists()
    run.refresh_from_db()
    assert run.state == state


def test_a_checkpoint_is_a_second_name_and_no_copy(owner: Any, samples: Path) -> None:
    """It may be gigabytes, and is only ever replaced: what the old run's place holds later is not the new run's."""
    run = stopped(owner)
    old, new = places.run_folder(run.id), places.run_folder(services.resume_training(run=run).id)
    link = new / layout.RESUMED / "last.zip"
    assert link.stat().st_ino == (old / layout.CHECKPOINT).stat().st_ino
    atomic.write_bytes(old / layout.CHECKPOINT, b"another")
    assert link.read_bytes() == b"the last"


def test_without_hard_links_a_checkpoint_is_a_copy(owner: Any, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on exFAT and some network mounts."""
    run = stopped(owner)

    def link(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    new = places.run_folder(services.resume_training(run=run).id)
    assert [(new / layout.RESUMED / each.file).read_bytes() for each in resume.read(new) or ()] == list(
        CONTENT.values()
    )


def test_files_are_read_and_copied_in_the_bounded_pool(
    owner: Any, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []
    for module, name in ((harvest, "is_intact"), (shutil, "copyfileobj")):
        true = getattr(module, name)

        def seen(*arguments: Any, true: Any = true) -> Any:
            threads.append(threading.current_thread().name)
            return true(*arguments)

        monkeypatch.setattr(module, name, seen)
    services.resume_training(run=stopped(owner))
    assert len(threads) == 4 and all(name.startswith("stockbot-pool") for name in threads)


def test_a_disk_that_is_full_is_told_and_nothing_half_is_left(
    owner: Any, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stopped(owner)

    def full(source: Any, target: Any) -> None:
        target.write(source.read(2))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    before = sorted(places.run_folder(run.id).parent.iterdir())
    with pytest.raises(OSError, match="No space left"):
        services.resume_training(run=run)
    assert sorted(places.run_folder(run.id).parent.iterdir()) == before and Run.objects.count() == 1
    target = before[0] / "half"
    with pytest.raises(OSError, match="No space left"):
        going_on._copy(run, layout.PROGRESS_CSV, target)
    assert not target.exists()


def test_what_it_began_with_counts_where_it_left_nothing(owner: Any, samples: Path) -> None:
    """Cancelled in the queue, or killed before its first own checkpoint: nothing that was learned is lost."""
    run = stopped(owner)
    again = services.resume_training(run=run)
    end(again, "CANCELLED")
    shutil.rmtree(places.run_folder(run.id))  # not even the first run is needed
    third = services.resume_training(run=again)
    folder = places.run_folder(third.id)
    assert third.source_run == again
    assert [(folder / layout.RESUMED / each.file).read_bytes() for each in resume.read(folder) or ()] == list(
        CONTENT.values()
    )
    assert (folder / layout.PROGRESS_CSV).read_bytes() == b"a,b\n1,2\n"


def test_its_own_checkpoint_counts_before_what_it_began_with(owner: Any, samples: Path) -> None:
    again = services.resume_training(run=stopped(owner))
    end(again, "CANCELLED", {"checkpoint": b"its own"})
    went_on = services.resume_training(run=again)
    third = places.run_folder(end(went_on, "CANCELLED").id)
    assert [each.file for each in resume.read(third) or ()] == ["last.zip"]
    assert (third / layout.RESUMED / "last.zip").read_bytes() == b"its own"
    (places.run_folder(again.id) / layout.CHECKPOINT).write_bytes(b"changed")
    fourth = places.run_folder(services.resume_training(run=again).id)
    assert (fourth / layout.RESUMED / "last.zip").read_bytes() == b"the last"


def test_what_it_began_with_must_be_what_it_was(owner: Any, samples: Path) -> None:
    again = services.resume_training(run=stopped(owner))
    end(again, "CANCELLED")
    for path in (places.run_folder(again.id) / layout.RESUMED).glob("*.zip"):
        path.unlink()
        path.write_bytes(b"something else")
    nothing_came_of(again, "gone or not as it left them")
    (places.run_folder(again.id) / layout.RESUME).write_text("[]")
    nothing_came_of(again, "left no checkpoint")


def test_a_training_that_diverged_is_not_gone_on_with(owner: Any, samples: Path) -> None:
    """Its checkpoint leads to the same end, step by step."""
    run = stopped(owner, "FAILED")
    Run.objects.filter(pk=run.pk).update(reason="diverged")
    run.refresh_from_db()
    assert not can_go_on(run)
    nothing_came_of(run, "diverged, and would again from its checkpoint: start another, with a smaller model.learning")


def test_a_copy_is_no_link(owner: Any, samples: Path) -> None:
    """What the new run cuts off is not cut off the old one."""
    run = stopped(owner)
    again = services.resume_training(run=run)
    for name in (layout.PROGRESS_CSV, "tb/events.out.tfevents.1"):
        (places.run_folder(again.id) / name).write_bytes(b"")
        assert (places.run_folder(run.id) / name).read_bytes()


def test_a_changed_checkpoint_is_left_out(owner: Any, samples: Path) -> None:
    run = stopped(owner)
    (places.run_folder(run.id) / layout.CHECKPOINT).write_bytes(b"the lost")
    folder = places.run_folder(services.resume_training(run=run).id)
    assert not (folder / layout.RESUMED / "last.zip").exists()
    assert (folder / layout.RESUMED / "before.zip").read_bytes() == b"the one before"
    assert [each.file for each in resume.read(folder) or ()] == ["last.zip", "before.zip"]  # so that the job can say it


def test_where_all_go_in_the_last_moment_it_is_refused(
    owner: Any, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were whole when they were looked at, and are gone when they are to get their second name."""
    run = stopped(owner)
    true = going_on.Left.checked

    def checked(left: going_on.Left) -> going_on.Ready:
        ready = true(left)
        shutil.rmtree(places.run_folder(run.id) / "checkpoints")
        return ready

    monkeypatch.setattr(going_on.Left, "checked", checked)
    nothing_came_of(run, "The checkpoints of this training are gone; start it again")


def nothing_came_of(run: Run, words: str) -> None:
    count, folders = Run.objects.count(), sorted(places.run_folder(run.id).parent.iterdir())
    with pytest.raises(NotResumable, match=words):
        services.resume_training(run=run)
    assert (Run.objects.count(), sorted(places.run_folder(run.id).parent.iterdir())) == (count, folders)


def test_checkpoints_that_are_no_more(owner: Any, samples: Path) -> None:
    run = stopped(owner)
    (places.run_folder(run.id) / layout.CHECKPOINT).unlink()
    (places.run_folder(run.id) / layout.CHECKPOINT_BEFORE).write_bytes(b"other")
    nothing_came_of(run, "gone or not as it left them")


def test_a_link_in_a_checkpoints_place_is_not_followed(owner: Any, samples: Path, tmp_path: Path) -> None:
    run = stopped(owner, content={"checkpoint": b"the last"})
    (tmp_path / "elsewhere").write_bytes(b"the last")
    (places.run_folder(run.id) / layout.CHECKPOINT).unlink()
    (places.run_folder(run.id) / layout.CHECKPOINT).symlink_to(tmp_path / "elsewhere")
    nothing_came_of(run, "gone or not as it left them")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "SUCCEEDED"}, "has succeeded"),
        ({"state": "RUNNING", "ended": None}, "has not stopped"),
        ({"state": "QUEUED", "ended": None}, "has not stopped"),
        ({"kind": "backtest"}, "Only a training can go on; this is a backtest"),
        ({"config_hash": "0" * 64}, "means something else in this version"),
        ({"config": {"training": {"steps": 3}}}, "of another version"),
    ],
)
def test_what_cannot_go_on_says_why(owner: Any, samples: Path, changes: dict[str, Any], words: str) -> None:
    run = services.start_training(owner=owner, config=ONE_SEED)
    folder = places.run_folder(run.id)
    (folder / layout.CHECKPOINT).parent.mkdir()
    (folder / layout.CHECKPOINT).write_bytes(b"the last")
    Artifact.objects.create(run=run, **manifest.entry(folder, layout.FILES["checkpoint"]))
    Run.objects.filter(pk=run.pk).update(**{"state": "CANCELLED", "ended": timezone.now(), **changes})
    run.refresh_from_db()
    nothing_came_of(run, words)


def test_without_a_checkpoint_there_is_nothing_to_go_on_from(owner: Any, samples: Path) -> None:
    nothing_came_of(stopped(owner, content={}), "left no checkpoint")


def test_the_same_key_gives_one_run(owner: Any, samples: Path) -> None:
    run, key = stopped(owner), str(uuid.uuid4())
    first = services.resume_training(run=run, idempotency_key=key)
    with pytest.raises(services.AlreadyStarted) as again:
        services.resume_training(run=run, idempotency_key=key)
    assert first == again.value.run
    assert Run.objects.count() == 2


def test_while_it_goes_on_no_second_one_does(owner: Any, samples: Path) -> None:
    run = stopped(owner)
    again = services.resume_training(run=run)
    nothing_came_of(run, f"Run {str(again.id)[:8]} goes on from this training already; wait for its end or cancel it")
    end(again, "CANCELLED")
    assert services.resume_training(run=run).source_run == run


def test_where_another_went_on_to_the_end_nothing_is_left_to_do(owner: Any, samples: Path) -> None:
    """Here in two attempts, the second from what the first had begun with."""
    run = stopped(owner)
    first = end(services.resume_training(run=run), "CANCELLED")
    second = end(services.resume_training(run=first), "SUCCEEDED")
    for one in (run, first):
        nothing_came_of(one, f"Run {str(second.id)[:8]} went on from this training and has succeeded; read that one")


def test_of_two_that_come_at_once_one_goes_on(owner: Any, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both saw nobody at work: the row of the second comes too late, and its folder goes."""
    run = stopped(owner)
    real, first = services._fill, []

    def fill(row: Run) -> None:
        if not first:
            first.append(None)
            first[0] = services.resume_training(run=run)
        real(row)

    monkeypatch.setattr(services, "_fill", fill)
    with pytest.raises(NotResumable, match="goes on from this training already"):
        services.resume_training(run=run)
    assert [*run.followed_by.all()] == first and Run.objects.count() == 2
    assert len(list(places.settings.RUNS_ROOT.iterdir())) == 2


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
