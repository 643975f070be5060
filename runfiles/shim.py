"""The small process beside each job: `python -m runfiles.shim CONTROL_DIR`. Standard library only.

It takes the run's lock, starts the job of `start.json` in a process group of its own, pumps its output into the capped
`job.log`, honours the `cancel` file (TERM and CONT, a grace, KILL, to the whole group) and writes `exit.json`. The lock
is the sign of life: held = alive; free with `exit.json` = that end; free without = gone.

A watchdog, forked before the job, waits on a pipe. When the shim is killed it kills the job's processes and only then
lets go of the lock, which it has inherited: a run that is seen as gone has no process left.

`start.json`: `{"v":1,"run","argv","cwd","env","log","log_cap","grace_s"}`.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runfiles import joblog, kernel, layout, outcome

REFUSED: Final = 75  # EX_TEMPFAIL: another shim holds the lock, or the run has ended
START_VERSION: Final = 1
TICK_S: Final = 0.05
GRACE_S: Final = 3.0
_BLOCK: Final = 64 * 1024
_PIPE_BLOCKS: Final = 32  # more than a pipe holds: what is drained after the last process has ended
_LAST_WORDS = "STOCKBOT_LAST_WORDS"  # as runfiles.job has it, which imports more than the standard library


@dataclass
class _Job:
    """The job as the shim sees it."""

    process: subprocess.Popen[bytes]
    mark: str
    ears: int
    log: joblog.CappedLog
    grace_s: float
    begun: float = field(default_factory=time.monotonic)
    asked_at: float | None = None  # when TERM was sent
    killed_by_us: bool = False


def main(argv: list[str]) -> int:
    control = Path(argv[1])
    lock = kernel.take_lock(control / layout.LOCK)
    if lock is None or (control / layout.EXIT).exists():
        return REFUSED
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())  # for people; nothing is decided by it
    with contextlib.suppress(OSError):  # without it the end is written as any file is
        outcome.reserve(control)
    started, begun, kills = _now(), time.monotonic(), kernel.oom_kills()
    end, code, number, sentence, peak = _run(control, kills)
    _write_exit(control, outcome.Outcome(
        v=outcome.VERSION, end=end, code=code, signal=number, sentence=sentence, started=started, ended=_now(),
        duration_s=round(time.monotonic() - begun, 3), peak_rss_mb=peak,
    ))  # fmt: skip
    return 0


_End = tuple[outcome.End, int | None, int | None, str, float | None]


def _run(control: Path, kills: int) -> _End:
    """From the start file to the end of the last process."""
    if (control / layout.CANCEL).exists():
        return "cancelled", None, None, "Cancelled before it started.", None
    try:
        start = json.loads((control / layout.START).read_text(encoding="utf-8"))
        if start.get("v") != START_VERSION:
            return "error", None, None, f"start.json is of version {start.get('v')}, which this shim cannot read.", None
        kernel.adopt_orphans()
        watchdog, leash = _fork_watchdog(start["run"])
        job = _spawn(start)
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        return "error", None, None, f"The job could not be started ({_cause(error)}).", None
    os.write(leash, f"{job.process.pid}\n".encode())
    _attend(job, control)
    status, peak = _bury(job)
    words = _last_words(job)
    os.write(leash, b"q")
    os.close(leash)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(watchdog, 0)
    return (*_classify(job, status, words, kernel.oom_kills() > kills), peak)


def _cause(error: BaseException) -> str:
    """Kind and cause for a person. The whole text would name a path of this machine, which nobody needs to know."""
    words = error.strerror if isinstance(error, OSError) else None
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _fork_watchdog(mark: str) -> tuple[int, int]:
    """(pid, write end of its pipe). It reads the group's number, then `q`: all is well. An early end is our death."""
    ears, leash = os.pipe()
    pid = os.fork()
    if pid:
        os.close(ears)
        return pid, leash
    os.close(leash)
    heard = b""
    while block := os.read(ears, 64):
        heard += block
    if not heard.endswith(b"q"):
        group = heard.strip()
        kernel.kill_all(int(group) if group else os.getpid(), mark)
    os._exit(0)


def _spawn(start: dict[str, Any]) -> _Job:
    log = joblog.CappedLog(Path(start["log"]), int(start.get("log_cap", joblog.CAP)))
    ears, mouth = os.pipe()
    shim = os.getpid()
    environment = {**start["env"], kernel.MARK: start["run"], _LAST_WORDS: str(mouth)}
    process = subprocess.Popen(
        start["argv"], cwd=start["cwd"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, pass_fds=(mouth,), process_group=0, bufsize=0,
        preexec_fn=lambda: _become_job(shim),  # safe: this process has one thread
    )  # fmt: skip
    os.close(mouth)
    os.set_blocking(ears, False)
    return _Job(process, start["run"], ears, log, float(start.get("grace_s", GRACE_S)))


def _become_job(parent: int) -> None:
    kernel.hear_signals()
    kernel.die_with(parent)


def _attend(job: _Job, control: Path) -> None:
    """Pump the log, look for the wish to cancel, until the job's first process has ended."""
    while not _ended(job):
        _pump(job, TICK_S)
        if job.asked_at is None and (control / layout.CANCEL).exists():
            job.asked_at = time.monotonic()
            kernel.signal_group(job.process.pid, signal.SIGTERM, signal.SIGCONT)
        if job.asked_at is not None and not job.killed_by_us and time.monotonic() - job.asked_at > job.grace_s:
            job.killed_by_us = True
            kernel.signal_group(job.process.pid, signal.SIGKILL)
        kernel.reap_orphans(spare=job.process.pid)


def _ended(job: _Job) -> bool:
    return kernel.has_ended(job.process.pid) if kernel.LINUX else job.process.poll() is not None


def _pump(job: _Job, patience_s: float) -> bool:
    """Move what the job has said, up to a few blocks; False when there is nothing (left)."""
    out = job.process.stdout
    if out is None or out.closed:
        time.sleep(patience_s)
        return False
    deadline = time.monotonic() + patience_s
    while select.select([out], [], [], max(0.0, deadline - time.monotonic()))[0]:
        block = os.read(out.fileno(), _BLOCK)
        if not block:
            out.close()
            return False
        job.log.write(block)
        if time.monotonic() >= deadline:
            return True  # a flood: look after the rest, then come back
    return False


def _bury(job: _Job) -> tuple[int, float | None]:
    """Kill what the job left running, drain the log; (return code as subprocess has it, peak MiB)."""
    kernel.kill_all(job.process.pid, job.mark)
    for _ in range(_PIPE_BLOCKS):
        if not _pump(job, 0.0):
            break
    job.log.close()
    import resource  # after the job: the figure is of ended children

    status = job.process.wait()
    kernel.reap_orphans()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return status, round(peak / (1 << 10 if kernel.LINUX else 1 << 20), 1) if peak else None


def _last_words(job: _Job) -> dict[str, Any]:
    """What the job said of its own end (runfiles.job), or nothing."""
    try:
        value = json.loads(os.read(job.ears, 16 * 1024))
    except (OSError, ValueError):
        value = {}
    os.close(job.ears)
    return value if isinstance(value, dict) and value.get("end") in outcome.ENDS else {}


def _classify(
    job: _Job, status: int, words: dict[str, Any], oom: bool
) -> tuple[outcome.End, int | None, int | None, str]:
    """(end, code, signal, sentence). A job that finished before it heard of the cancel has finished."""
    code, number = (status, None) if status >= 0 else (None, -status)
    if status == 0:
        return "ok", code, number, ""
    if job.asked_at is not None:
        return "cancelled", code, number, "Cancelled." if not job.killed_by_us else "Cancelled; it had to be killed."
    if words and words["end"] != "cancelled":
        return words["end"], code, number, str(words.get("sentence", ""))[: outcome.MAX_SENTENCE]
    if number == signal.SIGKILL or code == 128 + signal.SIGKILL:
        if oom:
            return "oom", code, number, "The system ran out of memory and killed the job."
        return "killed", code, number, "The job was killed from outside (signal 9)."
    if words or code == 128 + signal.SIGTERM:
        return "killed", code, number, "The job was ended from outside (signal 15)."
    if number is not None:
        return "killed", code, number, f"The job was ended by signal {number} ({_signal_name(number)})."
    return "error", code, number, f"The job ended with exit code {code}; its log has the details."


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def _write_exit(control: Path, result: outcome.Outcome) -> None:
    """On a full disk the end is tried again for a while: it is the one thing that must not get lost."""
    for _ in range(60):
        try:
            outcome.write(control, result)
            return
        except OSError:
            time.sleep(0.5)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


if __name__ == "__main__":
    sys.exit(main(sys.argv))
