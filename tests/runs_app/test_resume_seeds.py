"""Going on with a training of several seeds as a whole: what is taken over, what goes on, what starts anew."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import ProtectedError

from backtest.config import BacktestConfig
from marketdata.config_base import ConfigFault
from runfiles import layout, machine, resume
from runfiles.machine import Limit
from runfiles.policy_list import PolicyList
from runs_app import judged, places, queueing, services
from runs_app.models import Run
from runs_app.resume import NotResumable
from runs_app.resume_parent import can_go_on
from tests.runs_app.families import (
    CONFIG,
    SEEDS,
    bring,
    checkpoint_of,
    end,
    failed_family,
    policy_of,
    stopped,
    trained,
)  # fmt: skip


def test_each_seed_goes_on_from_what_it_left(owner: Any, samples: Path) -> None:
    old, (first, second, third) = failed_family(owner)
    again = services.resume_training(run=old)
    assert (again.owner, again.kind, again.state, again.queued, again.name) == (owner, "train", "QUEUED", None, "n")
    assert (again.source_run, again.config, again.config_hash) == (old, old.config, old.config_hash)

    taken, goes_on, anew = again.trainings
    assert taken == first and list(again.taken_over.all()) == [first] and first.parent == old
    assert (goes_on.parent, goes_on.source_run, goes_on.config_hash) == (again, second, second.config_hash)
    assert (anew.parent, anew.source_run, anew.config_hash) == (again, None, third.config_hash)
    assert [child.seeds[0] for child in again.trainings] == list(SEEDS)
    assert [run_id for run_id, _ in queueing.in_turn()] == [goes_on.id, anew.id]
    folder = places.run_folder(goes_on.id)
    assert (folder / layout.RESUMED / "last.zip").read_bytes() == checkpoint_of(3)
    assert (folder / layout.PROGRESS_CSV).read_bytes() == b"a,b\n1,2\n"
    assert resume.read(places.run_folder(anew.id)) is None
    for run in (old, first, second, third):
        before = (run.state, run.seq, run.parent_id)
        run.refresh_from_db()
        assert (run.state, run.seq, run.parent_id) == before


def test_it_says_what_becomes_of_each_seed(owner: Any, samples: Path) -> None:
    old, (first, second, _) = failed_family(owner)
    again = services.resume_training(run=old)
    said = again.events.get().data
    assert said == {
        "state": "QUEUED",
        "sentence": f"Seed 7 is taken over from run {str(first.id)[:8]}. Seed 3 goes on from the checkpoint of run "
                    f"{str(second.id)[:8]}. Seed 5 starts anew: it left nothing to go on from.",
    }  # fmt: skip
    assert again.seq == 1


def test_where_every_seed_is_trained_only_the_judge_runs(owner: Any, samples: Path, settings: Any) -> None:
    old = services.start_training(owner=owner, config=CONFIG)
    children = [trained(child) for child in old.trainings]
    end(old, "FAILED", reason="killed")
    again = services.resume_training(run=old)
    assert again.trainings == children and not again.children.exists()
    assert again.events.get().data["sentence"].endswith("All seeds are trained; they are judged again.")
    assert len(list(settings.RUNS_ROOT.iterdir())) == 5
    bring(again)
    folder = places.run_folder(again.id)
    assert PolicyList.read(folder).seeds == SEEDS
    assert [(folder / layout.member_policy(seed)).read_bytes() for seed in SEEDS] == [policy_of(s) for s in SEEDS]


def test_going_on_twice_keeps_what_the_first_time_took_over(owner: Any, samples: Path) -> None:
    old, (first, *_) = failed_family(owner)
    again = services.resume_training(run=old)
    _, goes_on, anew = again.trainings
    trained(goes_on), end(anew, "FAILED"), end(again, "FAILED")
    third = services.resume_training(run=again)
    assert third.trainings[:2] == [first, goes_on] and third.trainings[2].source_run is None
    end(third.trainings[2], "CANCELLED"), end(third, "CANCELLED")
    assert services.resume_training(run=old).trainings[:2] == [first, goes_on]  # it is the same training of this seed


def test_a_parent_whose_seed_is_taken_over_stays(owner: Any, samples: Path) -> None:
    """Deleting it would take the seed out of the later report."""
    old, (first, *_) = failed_family(owner)
    again = services.resume_training(run=old)
    for run in (old, first):
        with pytest.raises(ProtectedError):
            run.delete()
    assert again.trainings[0] == first and Run.objects.count() == 7
    again.delete()
    old.refresh_from_db()
    old.delete()
    assert not Run.objects.exists()


def test_a_seed_that_was_gone_on_with_alone_counts(owner: Any, samples: Path) -> None:
    old, (first, second, _) = failed_family(owner)
    alone = trained(services.resume_training(run=second))
    assert alone.parent is None
    assert services.resume_training(run=old).trainings[:2] == [first, alone]


def alone_of(second: Run, content: bytes, state: str = "CANCELLED") -> Run:
    """The seed, gone on with alone; it left this checkpoint."""
    return end(services.resume_training(run=second), state, {"checkpoint": content})


def goes_on_from(old: Run) -> bytes:
    """The checkpoint that seed 3 of a new family goes on from."""
    goes_on = services.resume_training(run=old).trainings[1]
    return (places.run_folder(goes_on.id) / layout.RESUMED / "last.zip").read_bytes()


def test_of_several_checkpoints_of_a_seed_the_newest_counts(owner: Any, samples: Path) -> None:
    """Whichever was asked for first: each was trained further than the one before."""
    old, (_, second, _) = failed_family(owner)
    third = alone_of(alone_of(second, b"further"), b"furthest")
    assert third.source_run is not None and third.created > third.source_run.created > second.created
    assert goes_on_from(old) == b"furthest"


def test_a_trained_seed_counts_before_a_newer_one_that_stopped(owner: Any, samples: Path) -> None:
    old, (_, second, _) = failed_family(owner)
    later = alone_of(second, b"later")
    alone = trained(services.resume_training(run=second))
    Run.objects.filter(pk=later.pk).update(created=alone.created + timedelta(seconds=1))
    (places.run_folder(alone.id) / layout.BEST_POLICY).unlink()  # its last checkpoint is that of its end
    assert goes_on_from(old) == checkpoint_of(3)


def test_a_run_of_another_configuration_behind_a_seed_does_not_count(owner: Any, samples: Path) -> None:
    old, (_, second, _) = failed_family(owner)
    other = alone_of(second, b"other")
    Run.objects.filter(pk=other.pk).update(config_hash="0" * 64)
    assert goes_on_from(old) == checkpoint_of(3)


def test_a_policy_that_is_another_file_is_not_taken_over(owner: Any, samples: Path) -> None:
    """The last checkpoint of its training lies there: it goes on from that, and so from its end."""
    old, (first, _, _) = failed_family(owner)
    (places.run_folder(first.id) / layout.BEST_POLICY).write_bytes(b"POLICY of seed 7")
    again = services.resume_training(run=old)
    assert not again.taken_over.exists() and again.trainings[0].source_run == first


def test_a_checkpoint_that_is_another_file_is_not_gone_on_from(owner: Any, samples: Path) -> None:
    old, (_, second, _) = failed_family(owner)
    (places.run_folder(second.id) / layout.CHECKPOINT).write_bytes(b"CHECKPOINT of seed 3")
    anew = services.resume_training(run=old).trainings[1]
    assert anew.source_run is None and not (places.run_folder(anew.id) / layout.RESUMED).exists()


def nothing_came_of(run: Run, words: str, settings: Any) -> None:
    before = Run.objects.count(), sorted(settings.RUNS_ROOT.iterdir())
    with pytest.raises(NotResumable, match=words):
        services.resume_training(run=run)
    assert (Run.objects.count(), sorted(settings.RUNS_ROOT.iterdir())) == before


def test_where_nothing_can_be_taken_it_is_refused(owner: Any, samples: Path, settings: Any) -> None:
    old = services.start_training(owner=owner, config=CONFIG)
    for child in old.trainings:
        end(child, "FAILED")
    end(old, "FAILED", reason="seeds")
    assert not can_go_on(old)
    nothing_came_of(
        old, "No seed of this training was trained to its end or left a checkpoint; start it again", settings
    )


def test_where_all_that_was_left_is_gone_it_is_refused(owner: Any, samples: Path, settings: Any) -> None:
    old, (first, second, _) = failed_family(owner)
    assert can_go_on(old)
    for run, path in ((first, layout.BEST_POLICY), (first, layout.CHECKPOINT), (second, layout.CHECKPOINT)):
        (places.run_folder(run.id) / path).unlink()
    nothing_came_of(old, "is gone or not as they left it", settings)


def test_what_cannot_go_on_says_why(owner: Any, samples: Path, settings: Any) -> None:
    at_work = services.start_training(owner=owner, config=CONFIG)
    nothing_came_of(at_work, "has not stopped", settings)
    nothing_came_of(end(at_work, "SUCCEEDED"), "has succeeded", settings)


def test_another_configuration_is_refused(owner: Any, samples: Path, settings: Any) -> None:
    old, _ = failed_family(owner)
    Run.objects.filter(pk=old.pk).update(config_hash="0" * 64)
    old.refresh_from_db()
    nothing_came_of(old, "means something else in this version", settings)


def test_a_child_of_another_configuration_is_refused(owner: Any, samples: Path, settings: Any) -> None:
    old, (_, second, _) = failed_family(owner)
    Run.objects.filter(pk=second.pk).update(config_hash="0" * 64)
    nothing_came_of(old, "means something else in this version", settings)


def test_with_a_seed_that_diverged_it_is_refused(owner: Any, samples: Path, settings: Any) -> None:
    old, (_, second, _) = failed_family(owner)
    Run.objects.filter(pk=second.pk).update(reason="diverged")
    assert not can_go_on(old)
    nothing_came_of(old, "Seed 3 of this training diverged, and would again", settings)


def test_a_run_that_diverged_beside_one_that_was_trained_does_not_matter(owner: Any, samples: Path) -> None:
    """Here the second start of the seed went well; even where its policy is gone the other is not gone on from."""
    old, (first, second, _) = failed_family(owner)
    alone = trained(services.resume_training(run=second))
    Run.objects.filter(pk=second.pk).update(reason="diverged")
    again = services.resume_training(run=old)
    assert again.trainings[:2] == [first, alone]
    for run in (*again.children.all(), again):
        end(run, "CANCELLED")
    for path in (layout.BEST_POLICY, layout.CHECKPOINT, f"{layout.RESUMED}/last.zip"):
        (places.run_folder(alone.id) / path).unlink()
    anew = services.resume_training(run=old).trainings[1]
    assert anew.source_run is None


def test_where_all_is_trained_no_room_for_a_training_is_asked(
    owner: Any, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = services.start_training(owner=owner, config=CONFIG)
    children = [trained(child) for child in old.trainings]
    end(old, "FAILED", reason="killed")
    other, _ = failed_family(owner)
    monkeypatch.setattr(machine, "memory_limit", lambda: Limit(1 << 20, "this machine has"))
    assert services.resume_training(run=old).trainings == children
    with pytest.raises(ConfigFault, match="this machine has 1"):
        services.resume_training(run=other)


def at_work(run: Run, follower: Run, words: str, settings: Any) -> None:
    assert not can_go_on(run)
    nothing_came_of(run, f"Run {str(follower.id)[:8]} goes on from {words} already; wait", settings)


def test_while_a_family_goes_on_no_second_one_does(owner: Any, samples: Path, settings: Any) -> None:
    old, (_, second, _) = failed_family(owner)
    again = services.resume_training(run=old)
    at_work(old, again, "this training", settings)
    at_work(second, again.trainings[1], "this training", settings)
    end(again.trainings[1], "CANCELLED"), end(again.trainings[2], "CANCELLED"), end(again, "CANCELLED")
    third = services.resume_training(run=again)
    at_work(old, third, "this training", settings)  # not the first that followed, but one behind it


def test_a_family_that_went_on_to_its_end_is_not_gone_on_with_again(owner: Any, samples: Path, settings: Any) -> None:
    """What it trained anew has no line to the first family, which would train it once more."""
    old, _ = failed_family(owner)
    again = services.resume_training(run=old)
    for child in again.trainings:
        if child.is_active:
            trained(child)
    end(again, "SUCCEEDED")
    assert not can_go_on(old)
    nothing_came_of(old, f"Run {str(again.id)[:8]} went on from this training and has succeeded", settings)


def test_while_a_seed_goes_on_alone_the_family_does_not(owner: Any, samples: Path, settings: Any) -> None:
    old, (_, second, _) = failed_family(owner)
    alone = services.resume_training(run=second)
    at_work(old, alone, "Seed 3 of this training", settings)
    end(alone, "CANCELLED")
    assert can_go_on(old)


def test_of_two_that_come_at_once_one_goes_on(owner: Any, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both saw nobody at work: the rows of the second come too late."""
    old, _ = failed_family(owner)
    real, first = services._fill, []

    def fill(run: Run) -> None:
        if not first:
            first.append(None)
            first[0] = services.resume_training(run=old)
        real(run)

    monkeypatch.setattr(services, "_fill", fill)
    with pytest.raises(NotResumable, match="goes on from this training already"):
        services.resume_training(run=old)
    assert [*old.followed_by.all()] == first


def test_a_seed_that_was_cancelled_in_the_queue_of_the_second_family_goes_on(owner: Any, samples: Path) -> None:
    old, (first, *_) = failed_family(owner)
    again = services.resume_training(run=old)
    for run in (*again.children.all(), again):
        end(run, "CANCELLED")
    third = services.resume_training(run=again)
    taken, goes_on, anew = third.trainings
    assert (taken, goes_on.source_run, anew.source_run) == (first, again.trainings[1], None)
    assert (places.run_folder(goes_on.id) / layout.RESUMED / "last.zip").read_bytes() == checkpoint_of(3)


def test_a_backtest_judges_what_was_taken_over_too(owner: Any, samples: Path) -> None:
    old, (first, _, _) = failed_family(owner)
    again = services.resume_training(run=old)
    for child in again.children.all():
        trained(child)
    end(again, "SUCCEEDED")
    run = services.start_backtest(owner=owner, config=BacktestConfig(run_id=str(again.id)))
    assert (places.run_folder(run.id) / layout.member_policy(7)).read_bytes() == policy_of(7)
    assert judged.members_of(again, "best").runs[0] == first


def test_the_same_key_gives_one_family(owner: Any, samples: Path, settings: Any) -> None:
    old, _ = failed_family(owner)
    first = services.resume_training(run=old, idempotency_key="once")
    with pytest.raises(services.AlreadyStarted) as again:
        services.resume_training(run=old, idempotency_key="once")
    assert again.value.run == first and len(list(settings.RUNS_ROOT.iterdir())) == Run.objects.count() == 7


def test_a_strangers_run_with_the_same_source_is_not_looked_at(owner: Any, stranger: Any, samples: Path) -> None:
    """No service makes such a row; should one be there, its files are not taken."""
    old, (_, second, _) = failed_family(owner)
    foreign = stopped(services.start_training(owner=stranger, config=CONFIG.of_seed(3)))
    Run.objects.filter(pk=foreign.pk).update(source_run=second, config_hash=second.config_hash)
    assert services.resume_training(run=old).trainings[1].source_run == second
