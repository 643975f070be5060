"""How a job's own end becomes an exit code and one sentence in `exit.json`, through the real shim."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runfiles import job as jobs
from runfiles import manifest, outcome
from runfiles.versions import ROOT
from tests.runfiles.conftest import ShimBench
from tests.waiting import until

HEAD = """
import errno, sys, time
from runfiles.job import JobDiverged, JobRefused, run_job

def main(job):
    {body}

sys.exit(run_job(main))
"""

STUBBORN = """(job.folder / 'pid').write_text('1')
    while True:
        try:
            time.sleep(60)
        except Exception:
            pass"""


def _start(bench: ShimBench, body: str, config: str = "schema_version: 1\nseed: 7\n") -> None:
    (bench.run / "config.yaml").write_text(config)
    bench.start(argv=[sys.executable, "-c", HEAD.format(body=body), str(bench.run), "--datasets", "/nowhere"])


def test_a_job_gets_its_configuration_and_leaves_versions_and_a_manifest(bench: ShimBench) -> None:
    _start(bench, "job.log(f'{job.config} {job.datasets}'); job.events.enter('train')")
    assert bench.outcome()["end"] == "ok"
    assert bench.log() == b"{'seed': 7} /nowhere\n"
    assert [entry["key"] for entry in manifest.verified(bench.run)] == ["config", "versions"]
    assert json.loads((bench.run / "versions.json").read_text())["packages"]["numpy"]


@pytest.mark.parametrize(("body", "end", "code", "words"), [
    ("raise JobRefused('The dataset has no bars.')", "error", outcome.CODE_REFUSED, "The dataset has no bars."),
    ("raise JobDiverged('The numbers are none.')", "diverged", outcome.CODE_REFUSED, "The numbers are none."),
    ("raise ZeroDivisionError('by zero')", "error", outcome.CODE_CRASHED, "crashed (ZeroDivisionError: by zero)"),
    ("raise MemoryError", "oom", outcome.CODE_MEMORY, "ran out of memory"),
    ("raise RuntimeError(\"DefaultCPUAllocator: can't allocate memory\")", "oom", outcome.CODE_MEMORY, "memory"),
    ("raise OSError(errno.ENOSPC, 'No space left on device')", "disk", outcome.CODE_DISK, "The disk is full"),
    ("sys.exit(9)", "error", 9, "left early"),
])  # fmt: skip
def test_ends_that_the_job_tells(bench: ShimBench, body: str, end: str, code: int, words: str) -> None:
    _start(bench, body)
    found = bench.outcome()
    assert (found["end"], found["code"]) == (end, code)
    assert words in found["sentence"]
    assert not (bench.run / "manifest.json").exists()


@pytest.mark.parametrize(("body", "end", "code"), [
    ("raise JobRefused('No bars.')", "error", outcome.CODE_REFUSED),
    ("raise JobDiverged('The numbers are none.')", "diverged", outcome.CODE_REFUSED),
    ("raise MemoryError", "oom", outcome.CODE_MEMORY),
    ("raise OSError(errno.ENOSPC, 'No space left on device')", "disk", outcome.CODE_DISK),
    ("raise ZeroDivisionError('by zero')", "error", outcome.CODE_CRASHED),
])  # fmt: skip
def test_a_job_ends_as_the_one_within_it_did(bench: ShimBench, body: str, end: str, code: int) -> None:
    part = f"""(job.folder / 'part').mkdir()
    (job.folder / 'part' / 'config.yaml').write_text('seed: 7')
    def part(job):
        {body}
    raise jobs.PartFailed('Seed 7', jobs.run_part(part, [str(job.folder / 'part'), '--datasets', '/nowhere']))"""
    _start(bench, f"import runfiles.job as jobs\n    {part}")
    found = bench.outcome()
    assert (found["end"], found["code"]) == (end, code)
    assert found["sentence"].startswith("Seed 7 did not end well: ")


def test_a_refusal_leaves_no_traceback_and_a_crash_does_without_our_path(bench: ShimBench) -> None:
    _start(bench, "raise JobRefused('No bars.')")
    bench.outcome()
    assert bench.log() == b"No bars.\n"


def test_a_crash_tells_where_but_not_where_we_live(bench: ShimBench) -> None:
    _start(bench, "from runfiles import yamlio; yamlio.load('- a')")
    bench.outcome()
    assert b"Traceback" in bench.log() and b'File "runfiles/yamlio.py"' in bench.log()
    assert str(ROOT).encode() not in bench.log()


def test_a_warning_of_a_library_does_not_tell_where_we_live(bench: ShimBench) -> None:
    _start(bench, "import warnings; warnings.warn_explicit('old', UserWarning, '" + str(ROOT) + "/lib.py', 3)")
    bench.outcome()
    assert bench.log().startswith(b"lib.py:3: UserWarning: old")


def test_cancel_ends_even_what_catches_every_exception(bench: ShimBench) -> None:
    _start(bench, STUBBORN)
    until((bench.run / "pid").exists)
    bench.cancel()
    found = bench.outcome()
    assert (found["end"], found["code"]) == ("cancelled", outcome.CODE_CANCELLED)


def test_a_file_larger_than_allowed_is_a_full_disk(bench: ShimBench) -> None:
    body = ("import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16));"
            " (job.folder / 'big').write_bytes(b'x' * (1 << 20))")  # fmt: skip
    _start(bench, body)
    assert bench.outcome()["end"] == "disk"


@pytest.mark.parametrize(("config", "words"), [
    ("- a\n", "mapping"), ("schema_version: 99\n", "schema_version 99"), ("a: 1\na: 2\n", "twice"),
])  # fmt: skip
def test_a_configuration_that_is_none_is_refused(bench: ShimBench, config: str, words: str) -> None:
    _start(bench, "job.log('never')", config)
    found = bench.outcome()
    assert (found["end"], found["code"]) == ("error", outcome.CODE_REFUSED)
    assert words in found["sentence"]


def test_by_hand_the_sentence_goes_to_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yaml").write_text("{}\n")

    def refuse(job: jobs.Job) -> None:
        raise jobs.JobRefused("No bars.")

    assert jobs.run_job(refuse, [str(tmp_path), "--datasets", str(tmp_path)]) == outcome.CODE_REFUSED
    assert capfd.readouterr().err == "No bars.\n"


def test_leaving_at_once_loses_no_word_and_keeps_the_code() -> None:
    code = (
        "import atexit, sys; from runfiles.job import leave; atexit.register(print, 'handler');"
        "sys.stdout.write('said'); sys.stderr.write('warned'); leave(3)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "said", "warned")
