"""The file of a checkpoint: the same bytes for the same training, and a refusal in one clause for what is not whole."""

import contextlib
import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rl.checkpoint import file, resume
from rl.checkpoint.fault import CheckpointFault, CheckpointMisfit
from rl.policy_format import container
from rl.policy_format.spec import plain_json
from rl.task import Task
from runfiles import layout
from runfiles.hashes import sha256_of
from runfiles.job import JobCancelled, JobRefused
from runfiles.resume import Named, write
from tests.rl.checkpoint.stopping import checkpoint_of, go_on, outcome, stopped_at, trained
from tests.rl.checkpoint.test_exact import ROLLOUT, config

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def stopped(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training with two checkpoints, at its second and its fifth rollout's end."""
    folder = tmp_path_factory.mktemp("runs") / "stopped"
    with stopped_at(90), pytest.raises(JobCancelled):
        trained(task, config(checkpoint_every=2 * ROLLOUT), folder)
    return folder


def test_the_last_two_are_kept(stopped: Path) -> None:
    """Written at rollouts 2 and 4, and, told to stop in the sixth, at the fifth's end."""
    assert {path.name for path in (stopped / "checkpoints").iterdir()} == {"last.zip", "before.zip"}
    assert [checkpoint_of(stopped, path).step for path in (layout.CHECKPOINT, layout.CHECKPOINT_BEFORE)] == [
        5 * ROLLOUT, 4 * ROLLOUT,
    ]  # fmt: skip


def test_reading_and_writing_again_gives_the_same_bytes(stopped: Path) -> None:
    content = (stopped / layout.CHECKPOINT).read_bytes()
    assert file.pack(file.unpacked(content)) == content


def test_it_holds_no_pickle(stopped: Path) -> None:
    """JSON, safetensors, and the policy file, whose own members are held to this elsewhere."""
    members = container.read((stopped / layout.CHECKPOINT).read_bytes(), file._RULES)
    assert list(members) == ["checkpoint.json", "state.safetensors", "best_policy.zip"]
    assert json.loads(members["checkpoint.json"])["format"] == "stockbot-checkpoint"
    assert members["best_policy.zip"] == (stopped / layout.BEST_POLICY).read_bytes()


def test_books_are_kept_in_float64(stopped: Path) -> None:
    arrays = checkpoint_of(stopped).state.arrays
    assert {arrays[f"book.{name}"].dtype for name in ("cash", "equity", "shares", "peak")} == {np.dtype(np.float64)}
    assert arrays["book.shares"].shape == (8, 3) and arrays["seen.bars"].dtype == np.int32


def test_torn_anywhere_it_is_refused(stopped: Path) -> None:
    content = (stopped / layout.CHECKPOINT).read_bytes()
    for size in [0, 1, *range(7, len(content), max(1, len(content) // 200)), len(content) - 1]:
        with pytest.raises(CheckpointFault):
            file.unpacked(content[:size])


def test_a_flipped_byte_is_refused(stopped: Path) -> None:
    """By the zip's own checksums; the few bytes of its headers that mean nothing change nothing either."""
    content = bytearray((stopped / layout.CHECKPOINT).read_bytes())
    whole = file.pack(file.unpacked(bytes(content)))
    for place in range(0, len(content), max(1, len(content) // 400)):
        content[place] ^= 0x10
        with contextlib.suppress(CheckpointFault):
            assert file.pack(file.unpacked(bytes(content))) == whole
        content[place] ^= 0x10


CHANGES = {
    "another version": ({"version": 2}, "version that is not read"),
    "an unknown field": ({"more": 1}, "'more', which is not known"),
    "steps below none": ({"step": -1}, "checkpoint.json.step must be a whole number"),
    "an array of another name": ({"arrays_sha256": "0" * 64}, "is not the one that checkpoint.json names"),
    "chance without numbers": ({"chance": {"python": 1, "numpy": 2, "own": 3}}, "chance.python must be an object"),
    "no real generator": ({"chance": None}, "checkpoint.json.chance must be an object"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_tampered_with_is_refused(task: Task, stopped: Path, tmp_path: Path, name: str) -> None:
    """With every checksum made anew, as somebody who means it would."""
    changes, words = CHANGES[name]
    members = container.read((stopped / layout.CHECKPOINT).read_bytes(), file._RULES)
    document = json.loads(members["checkpoint.json"]) | changes
    content = container.write(members | {"checkpoint.json": plain_json(document)}, file.MEMBERS)
    with pytest.raises((CheckpointFault, JobRefused), match=words):
        trained_from(task, content, tmp_path / "run")


def test_arrays_of_other_books_are_refused(task: Task, stopped: Path, tmp_path: Path) -> None:
    members = container.read((stopped / layout.CHECKPOINT).read_bytes(), file._RULES)
    arrays = dict(file._unpacked_arrays(members["state.safetensors"]))
    arrays["book.cash"] = np.zeros(9)
    state = file.pack_arrays(arrays)
    document = json.loads(members["checkpoint.json"]) | {"arrays_sha256": sha256_of(state)}
    content = container.write(
        members | {"checkpoint.json": plain_json(document), "state.safetensors": state}, file.MEMBERS
    )
    with pytest.raises(CheckpointMisfit, match="not those of this network and these books"):
        trained_from(task, content, tmp_path / "run")


def trained_from(task: Task, content: bytes, folder: Path) -> None:
    (folder / layout.RESUMED).mkdir(parents=True)
    (folder / layout.RESUMED / "last.zip").write_bytes(content)
    write(folder, [Named("last.zip", hashlib.sha256(content).hexdigest())])
    trained(task, config(checkpoint_every=2 * ROLLOUT), folder)


@pytest.mark.parametrize("how", ["gone", "torn", "another"])
def test_the_one_before_is_used_and_told(task: Task, stopped: Path, tmp_path: Path, how: str) -> None:
    trained(task, config(checkpoint_every=2 * ROLLOUT), tmp_path / "whole")
    go_on(stopped, tmp_path / "again")
    path = tmp_path / "again" / layout.RESUMED / "last.zip"
    {"gone": path.unlink, "torn": lambda: path.write_bytes(path.read_bytes()[:-100]),
     "another": lambda: path.write_bytes((stopped / layout.CHECKPOINT_BEFORE).read_bytes())}[how]()  # fmt: skip
    said: list[str] = []
    trained(task, config(checkpoint_every=2 * ROLLOUT), tmp_path / "again", said)
    why = "it cannot be read" if how == "gone" else "it is not the file that was kept: its sha256 differs"
    assert said[0] == (
        f"The checkpoint last.zip is not used: {why}. The training goes on from the one before, of step {4 * ROLLOUT}."
    )
    assert outcome(tmp_path / "again") == outcome(tmp_path / "whole")


def test_without_any_that_can_be_read_it_is_refused_in_a_sentence(stopped: Path, tmp_path: Path) -> None:
    go_on(stopped, tmp_path)
    for path in (tmp_path / layout.RESUMED).glob("*.zip"):
        path.write_bytes(b"PK")
    with pytest.raises(JobRefused) as refused:
        resume.found(tmp_path, pytest.fail)
    assert str(refused.value).startswith("No checkpoint can be read: the checkpoint last.zip is not used: it is not")
    assert str(refused.value).endswith("Start the training again.") and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["", "{}", '{"v":2,"checkpoints":[]}', '{"v":1,"checkpoints":[]}',
     '{"v":1,"checkpoints":[{"file":"../last.zip","sha256":"' + "0" * 64 + '"}]}',
     '{"v":1,"checkpoints":[{"file":"last.zip","sha256":"0"}]}', '{"v":1,"v":1,"checkpoints":[]}'],
)  # fmt: skip
def test_what_names_no_checkpoint_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / layout.RESUMED).mkdir()
    (tmp_path / layout.RESUME).write_text(text)
    with pytest.raises(JobRefused, match=r"resumed/resume\.json: it "):
        resume.found(tmp_path, pytest.fail)


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_kill_at_any_rename_leaves_a_whole_last_one(stopped: Path, tmp_path: Path, call: int) -> None:
    """kill -9 in the first to fourth rename of two checkpoints that are written behind another."""
    code = (
        "import os, pathlib, signal, sys\n"
        "from rl.checkpoint import file\n"
        "checkpoint, folder = file.unpacked(pathlib.Path(sys.argv[1]).read_bytes()), pathlib.Path(sys.argv[2])\n"
        "true, count = pathlib.Path.replace, 0\n"
        "def replace(self, target):\n"
        "    global count\n"
        "    count += 1\n"
        "    if count == int(sys.argv[3]): os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return true(self, target)\n"
        "file.write(folder, checkpoint)\n"
        "pathlib.Path.replace = replace\n"
        "file.write(folder, checkpoint); file.write(folder, checkpoint)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(stopped / layout.CHECKPOINT), str(tmp_path), str(call)],
        cwd=ROOT, env=os.environ, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    there = [path for path in (layout.CHECKPOINT, layout.CHECKPOINT_BEFORE) if (tmp_path / path).exists()]
    assert layout.CHECKPOINT in there
    for path in there:
        assert (tmp_path / path).read_bytes() == (stopped / layout.CHECKPOINT).read_bytes()


def test_a_write_that_fails_loses_nothing_and_leaves_nothing(stopped: Path, tmp_path: Path) -> None:
    """No room for the second: the first stays the last one; the third has the first before it, and no file besides."""
    old, new = (checkpoint_of(stopped, path) for path in (layout.CHECKPOINT_BEFORE, layout.CHECKPOINT))
    file.write(tmp_path, old)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", no_room)
        with pytest.raises(OSError, match="No space"):
            file.write(tmp_path, new)
    assert checkpoint_of(tmp_path).step == old.step
    file.write(tmp_path, new)
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {"last.zip", "before.zip"}
    assert [checkpoint_of(tmp_path, path).step for path in (layout.CHECKPOINT, layout.CHECKPOINT_BEFORE)] == [
        new.step, old.step,
    ]  # fmt: skip


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.EMLINK])
def test_without_hard_links_the_one_before_is_a_copy(
    stopped: Path, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on exFAT and some network mounts; it is on the disk before the last one is replaced."""
    old, new = (checkpoint_of(stopped, path) for path in (layout.CHECKPOINT_BEFORE, layout.CHECKPOINT))

    def link(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", link)
    synced: list[int] = []
    true = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(descriptor)
        true(descriptor)

    file.write(tmp_path, old)
    monkeypatch.setattr(os, "fsync", fsync)
    file.write(tmp_path, new)
    assert len(synced) == 3  # the copy, then file and folder of the new one
    file.write(tmp_path, new)
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {"last.zip", "before.zip"}
    assert (tmp_path / layout.CHECKPOINT_BEFORE).read_bytes() == (tmp_path / layout.CHECKPOINT).read_bytes()
    file.write(tmp_path, old)
    assert [checkpoint_of(tmp_path, path).step for path in (layout.CHECKPOINT, layout.CHECKPOINT_BEFORE)] == [
        old.step, new.step,
    ]  # fmt: skip


def no_room(_descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
