"""The shim with real processes: how a job ends, and that nothing of it is left."""

import ast
import os
import signal
import sys
import time

from runfiles import kernel, shim
from tests.runfiles.conftest import ShimBench
from tests.waiting import until


def test_a_job_that_ends_well(bench: ShimBench) -> None:
    bench.start("--say", "hello")
    found = bench.outcome()
    assert (found["end"], found["code"], found["signal"], found["sentence"]) == ("ok", 0, None, "")
    assert bench.log() == b"hello\n"
    assert found["duration_s"] > 0
    assert 1 < (found["peak_rss_mb"] or 0) < 500
    assert found["started"] <= found["ended"]


def test_a_job_that_fails_says_its_code(bench: ShimBench) -> None:
    bench.start("--code", "9")
    found = bench.outcome()
    assert (found["end"], found["code"]) == ("error", 9)
    assert "exit code 9" in found["sentence"]


def test_a_killed_job_is_told_within_two_seconds(bench: ShimBench) -> None:
    bench.start("--seconds", "60")
    os.kill(bench.job_pid(), signal.SIGKILL)
    found = bench.outcome(within_s=2)
    assert (found["end"], found["code"], found["signal"]) == ("killed", None, 9)


def test_exit_137_of_a_wrapper_is_a_kill(bench: ShimBench) -> None:
    bench.start("--code", "137")
    assert bench.outcome()["end"] == "killed"


def test_a_killed_shim_takes_the_job_and_its_children_along(bench: ShimBench) -> None:
    running = bench.start("--seconds", "60", "--children", "3", "--escape")
    bench.job_pid()
    until(lambda: len(bench.processes()) == 5, what="the job and its four children")
    running.kill()
    running.wait()
    until(lambda: not bench.processes(), within_s=1, what="the death of the job")
    until(lambda: not kernel.is_locked(bench.control / "lock"), within_s=1, what="the release of the lock")
    assert not (bench.control / "exit.json").exists()


def test_the_lock_is_free_only_when_no_process_is_left(bench: ShimBench) -> None:
    running = bench.start("--seconds", "60", "--children", "3", "--escape")
    bench.job_pid()
    assert kernel.is_locked(bench.control / "lock")
    running.kill()
    until(lambda: not kernel.is_locked(bench.control / "lock"), within_s=2, what="the release of the lock")
    assert bench.processes() == []


def test_cancel_reaches_children_and_a_stopped_job(bench: ShimBench) -> None:
    bench.start("--seconds", "60", "--children", "3", "--escape")
    os.kill(bench.job_pid(), signal.SIGSTOP)
    bench.cancel()
    found = bench.outcome()
    assert (found["end"], found["signal"]) == ("cancelled", signal.SIGTERM)
    assert bench.processes() == []


def test_cancel_of_a_job_that_ignores_term_kills_it_after_the_grace(bench: ShimBench) -> None:
    bench.start("--seconds", "60", "--ignore-term", grace_s=0.5)
    bench.job_pid()
    begun = time.monotonic()
    bench.cancel()
    found = bench.outcome()
    assert (found["end"], found["signal"]) == ("cancelled", 9)
    assert time.monotonic() - begun >= 0.5


def test_a_cancel_before_the_start_runs_nothing(bench: ShimBench) -> None:
    bench.cancel()
    bench.start()
    assert bench.outcome()["end"] == "cancelled"
    assert not (bench.run / "pid").exists()


def test_a_second_shim_is_refused(bench: ShimBench) -> None:
    bench.start("--seconds", "60")
    first = bench.job_pid()
    assert bench.spawn().wait(10) == shim.REFUSED
    assert bench.job_pid() == first
    assert not (bench.control / "exit.json").exists()


def test_a_run_that_has_ended_is_not_started_again(bench: ShimBench) -> None:
    assert bench.start().wait(10) == 0
    (bench.run / "pid").unlink()
    assert bench.spawn().wait(10) == shim.REFUSED
    assert not (bench.run / "pid").exists()


def test_strays_of_a_finished_job_are_killed(bench: ShimBench) -> None:
    bench.start("--children", "2", "--escape")
    assert bench.outcome()["end"] == "ok"
    assert bench.processes() == []


def test_a_job_that_cannot_start_says_so(bench: ShimBench) -> None:
    bench.start(argv=["/no/such/program"])
    found = bench.outcome()
    assert found["end"] == "error"
    assert found["sentence"] == "The job could not be started (FileNotFoundError: No such file or directory)."


def test_a_job_that_cannot_start_names_no_path_of_the_machine(bench: ShimBench) -> None:
    bench.start()
    assert bench.outcome()["end"] == "ok"
    (bench.control / "exit.json").unlink()
    (bench.control / "start.json").unlink()
    bench.spawn()
    assert bench.outcome()["sentence"] == "The job could not be started (FileNotFoundError: No such file or directory)."


def test_the_job_sees_a_bare_environment_and_no_foreign_descriptor(bench: ShimBench) -> None:
    script = "import os; print(sorted(os.environ)); print(sorted(int(n) for n in os.listdir('/proc/self/fd')))"
    bench.start(argv=["/usr/bin/env", sys.executable, "-c", script])
    assert bench.outcome()["end"] == "ok"
    names, descriptors = bench.log().decode().splitlines()
    assert set(ast.literal_eval(names)) <= {"PATH", "STOCKBOT_RUN", "STOCKBOT_LAST_WORDS", "LC_CTYPE"}
    assert len(ast.literal_eval(descriptors)) == 5  # 0, 1, 2, the last words, and the one that lists them


def test_the_job_is_first_in_line_when_memory_runs_out(bench: ShimBench) -> None:
    bench.start(argv=["/bin/cat", "/proc/self/oom_score_adj"])
    assert bench.outcome()["end"] == "ok"
    assert int(bench.log()) == 500


def test_a_server_that_ignores_signals_does_not_make_its_jobs_deaf(bench: ShimBench) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        bench.start("--seconds", "60")
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    bench.job_pid()
    bench.cancel()
    assert bench.outcome()["signal"] == signal.SIGTERM
