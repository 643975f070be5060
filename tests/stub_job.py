"""A small job with switches, run by the real shim: `python -m tests.stub_job RUN_DIR [switches]`.

It writes `pid` into the run directory once it is ready, so that a test knows whom to hurt.
"""

import argparse
import os
import resource
import signal
import sys
import time
from pathlib import Path

from runfiles import atomic, manifest
from runfiles.events import EventWriter
from runfiles.job import run_job


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--datasets", type=Path)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--code", type=int, default=0)
    parser.add_argument("--ignore-term", action="store_true")
    parser.add_argument("--children", type=int, default=0)
    parser.add_argument("--escape", action="store_true", help="double-fork a child into a session of its own")
    parser.add_argument("--flood", type=int, default=0, help="MiB of output without a newline")
    parser.add_argument("--say", default="")
    parser.add_argument("--events", type=int, default=0)
    parser.add_argument("--job", action="store_true", help="enter and leave through runfiles.job")
    parser.add_argument("--no-manifest", action="store_true")
    parser.add_argument("--memory-error", action="store_true", help="want more memory than the process may have")
    parser.add_argument("--lie", action="store_true", help="change a file after the manifest")
    parser.add_argument("--report", action="store_true", help="leave a policy and a report")
    options = parser.parse_args()
    if options.ignore_term:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(options.children):
        _child(escape=False)
    if options.escape:
        _child(escape=True)
    _announce(options.run_dir / "pid", os.getpid())
    if options.job:
        return run_job(lambda job: _work(options), [str(options.run_dir), "--datasets", str(options.run_dir)])
    _work(options)
    if options.report:
        _report(options.run_dir)
    if not options.code and not options.no_manifest:
        manifest.write(options.run_dir)
    if options.lie:
        atomic.write_json(options.run_dir / "report" / "summary.json", {"metrics": {"sharpe": 99.0}})
    return int(options.code)


def _work(options: argparse.Namespace) -> None:
    if options.say:
        sys.stdout.write(options.say + "\n")
        sys.stdout.flush()
    for _ in range(options.flood):
        os.write(1, b"x" * (1 << 20))
    events = EventWriter(options.run_dir / "events.jsonl")
    if options.events:
        events.enter("train")
        events.warning("The stub warns.")
    begun = time.monotonic()
    for step in range(options.events):
        events.progress(step + 1, options.events, 10.0)
        events.metric(loss=1.0 / (step + 1))
    if options.memory_error:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        bytearray(1 << 34)
    while time.monotonic() - begun < options.seconds:
        time.sleep(0.01)


def _report(folder: Path) -> None:
    (folder / "best_policy.zip").write_bytes(b"weights")
    (folder / "ppo_policy.zip").write_bytes(b"later weights")
    (folder / "report" / "baselines" / "equal").mkdir(parents=True)
    metrics = {"total_return": 0.1, "sharpe": 1.5, "sortino": None, "no_metric": 1.0}
    verdict = {"code": "not_shown", "sentence": "Not shown."}
    atomic.write_json(folder / "report" / "summary.json", {"metrics": metrics, "verdict": verdict})
    atomic.write_json(folder / "report" / "baselines" / "equal" / "summary.json", {"metrics": {"total_return": 0.05}})


def _child(*, escape: bool) -> None:
    if os.fork():
        return
    if escape:
        os.setsid()
        if os.fork():
            os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)
    os._exit(0)


def _announce(path: Path, pid: int) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(str(pid))
    temporary.rename(path)


if __name__ == "__main__":
    sys.exit(main())
