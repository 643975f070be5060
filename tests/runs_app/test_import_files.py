"""The file of an import that judged nothing makes room again; its hash and the sentence stay on the row."""

from typing import Any

import pytest

from runfiles import layout
from runs_app import places, quota, results, services
from runs_app.models import Run
from tests.runs_app.yard import Yard

CONTENT = b"date,equity\n2019-01-02,1\n"
SHA256 = "1" * 64


def importing(yard: Yard, *switches: str, **columns: Any) -> Run:
    run = yard.add(*switches, kind="import", config={"file_sha256": SHA256}, **columns)
    (places.run_folder(run.id) / layout.RESULT).write_bytes(CONTENT)
    return run


def is_kept(run: Run) -> bool:
    return (places.run_folder(run.id) / layout.RESULT).exists()


def room_taken(owner: Any, settings: Any) -> int:
    """Bytes that count, read from the sentence of a file that cannot fit."""
    settings.DATASET_BYTES_PER_USER = 0
    words = quota.no_room_for_result(owner, 1).replace(",", "").split()
    return int(words[words.index("hold") + 1])


def test_one_that_was_judged_keeps_its_file(yard: Yard, settings: Any) -> None:
    run = importing(yard, "--job")
    assert room_taken(yard.owner, settings) == len(CONTENT)
    yard.step_until(run, "SUCCEEDED")
    assert is_kept(run) and run.artifacts.filter(key=results.KEY).exists()
    assert room_taken(yard.owner, settings) == len(CONTENT)


@pytest.mark.parametrize("switches", [("--code", "3"), ("--report", "--lie")])
def test_one_that_failed_drops_it(yard: Yard, settings: Any, switches: tuple[str, ...]) -> None:
    run = yard.step_until(importing(yard, *switches), "FAILED")
    assert not is_kept(run) and not run.artifacts.filter(key=results.KEY).exists()
    assert run.artifacts.filter(key="config").exists() and run.config["file_sha256"] == SHA256 and run.sentence
    assert room_taken(yard.owner, settings) == 0


def test_one_that_was_cancelled_while_it_waited_drops_it(yard: Yard, settings: Any) -> None:
    run = importing(yard)
    services.cancel_run(run=run)
    yard.step_until(run, "CANCELLED")
    assert not is_kept(run) and room_taken(yard.owner, settings) == 0


def test_a_server_that_starts_drops_what_one_before_it_left(yard: Yard) -> None:
    failed = yard.step_until(importing(yard, "--code", "3"), "FAILED")
    judged = yard.step_until(importing(yard, "--job"), "SUCCEEDED")
    waiting = importing(yard)
    for run in (failed, judged, waiting):
        (places.run_folder(run.id) / layout.RESULT).write_bytes(CONTENT)
    results.sweep()
    assert [is_kept(run) for run in (failed, judged, waiting)] == [False, True, True]
