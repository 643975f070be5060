"""Where a job runs. The reconciler asks an executor and never looks at a process or a lock itself."""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from django.conf import settings

from runfiles import atomic, kernel, layout, shim
from runfiles import outcome as outcomes
from runfiles.environment import of_job
from runs_app import places
from runs_app.models import Run

ENTRIES = {
    Run.Kind.TRAIN: "rl.train_ppo", Run.Kind.BACKTEST: "backtest.run", Run.Kind.DATA: "marketdata.fetch",
    Run.Kind.LEAKS: "backtest.leaks", Run.Kind.IMPORT: "backtest.foreign",
    Run.Kind.CV: "rl.walk_forward", Run.Kind.CALIBRATE: "rl.calibrate",
}  # fmt: skip

TRAINING_GRACE_S = 2 * shim.GRACE_S
"""Between the wish that a training stops and its kill: it writes a checkpoint first."""


@dataclass(frozen=True)
class Standing:
    """How a job stands: `alive`; `ended` with its outcome; `gone` without a word."""

    word: Literal["alive", "ended", "gone"]
    outcome: outcomes.Outcome | None = None


class Executor(Protocol):
    """Knows where a job runs. Each call may come again, after a restart of the server too, and must not do more."""

    def start(self, run: Run) -> None:
        """Start the job, or let a start under way go on. Raises OSError where that cannot be."""

    def poll(self, run: Run) -> Standing:
        """How the job stands now."""

    def cancel(self, run: Run) -> None:
        """Ask for its end; the end itself is seen by `poll`."""


def command(run: Run) -> list[str]:
    """The argument list of a run's job. `-P`: a file in the working folder never takes a module's place."""
    entry = ENTRIES[Run.Kind(run.kind)]
    return [
        sys.executable,
        "-P",
        "-m",
        entry,
        str(places.run_folder(run.id)),
        "--datasets",
        str(settings.DATASETS_ROOT),
    ]


def command_text(run: Run) -> str:
    """`command.txt`: what a person types to run the job again. It is served, so no path of the machine is in it."""
    threads = environment(run)["OMP_NUM_THREADS"]
    words = f"python -P -m {ENTRIES[Run.Kind(run.kind)]} media/runs/{run.id} --datasets media/datasets"
    where = "in the checkout, with its virtual environment; media/ is the server's media folder"
    return f"# {where}\nOMP_NUM_THREADS={threads} PYTHONHASHSEED=0 {words}\n"


def environment(run: Run) -> dict[str, str]:
    """What the job sees of the server's environment: no key, no address, no password."""
    found = of_job(str(run.config.get("training", {}).get("threads") or 1), settings.BASE_DIR)
    if run.kind == Run.Kind.DATA and settings.YAHOO_URL:
        found["STOCKBOT_YAHOO_URL"] = settings.YAHOO_URL  # nobody else has a use for it: no other job asks the network
    if run.kind == Run.Kind.DATA and settings.FILES_FOLDER:
        found["STOCKBOT_FILES"] = settings.FILES_FOLDER
    return found


class LocalExecutor:
    """Jobs on this machine, each beside a shim. The shim's lock is the sign of life, so a new server finds them all."""

    def __init__(self, make_command: Callable[[Run], list[str]] = command) -> None:
        self._command = make_command
        self._shims: list[subprocess.Popen[bytes]] = []
        self._guard = threading.Lock()

    def start(self, run: Run) -> None:
        control = places.control_folder(run.id)
        atomic.write_json(control / layout.START, {
            "v": shim.START_VERSION, "run": str(run.id), "argv": self._command(run), "cwd": str(settings.BASE_DIR),
            "env": environment(run), "log": str(places.run_folder(run.id) / layout.JOB_LOG),
            "grace_s": TRAINING_GRACE_S if run.kind == Run.Kind.TRAIN else shim.GRACE_S,
        })  # fmt: skip
        with (control / "shim.log").open("ab") as log, self._guard:
            # -S: the shim needs nothing that is installed, and starts in half the time
            self._shims.append(subprocess.Popen(
                [sys.executable, "-S", "-P", "-m", "runfiles.shim", str(control)], cwd=settings.BASE_DIR,
                env=environment(run), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            ))  # fmt: skip

    def poll(self, run: Run) -> Standing:
        self._bury()
        control = places.control_folder(run.id)
        if kernel.is_locked(control / layout.LOCK):
            return Standing("alive")
        found = outcomes.read(control)  # after the lock: the shim writes the end and then lets go
        return Standing("gone") if found is None else Standing("ended", found)

    def cancel(self, run: Run) -> None:
        with contextlib.suppress(FileNotFoundError):  # the folder is gone, and with it all that could be cancelled
            Path(places.control_folder(run.id) / layout.CANCEL).touch(mode=0o640)

    def _bury(self) -> None:
        """Wait for our own shims that have ended: a zombie is nothing that anybody should have to look at."""
        with self._guard:
            self._shims = [process for process in self._shims if process.poll() is None]
