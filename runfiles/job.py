"""Entry and exit of a child process: `python -m rl.train_ppo RUN_DIR --datasets DIR`.

`run_job` reads `config.yaml`, calls the job and turns its end into an exit code and one sentence; the shim hears the
sentence through an inherited descriptor and writes it to `exit.json`. Run by hand, the sentence goes to the terminal.
"""

import argparse
import json
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar, NoReturn

from runfiles import at_work, atomic, layout, manifest, outcome, yamlio
from runfiles.disk import is_full
from runfiles.events import EventWriter
from runfiles.versions import ROOT, versions

LAST_WORDS = "STOCKBOT_LAST_WORDS"  # environment: number of the descriptor on which the shim listens


class JobRefused(ValueError):
    """Bad input that only the job could find; its message is one sentence for the user."""

    end: ClassVar[outcome.End] = "error"


class JobDiverged(JobRefused):
    """A training whose numbers are none any more. It would come to that again from each of its checkpoints."""

    end = "diverged"


@dataclass(frozen=True)
class End:
    """How a job ended: its exit code, the word for `exit.json`, and one sentence, empty where it ended well."""

    code: int
    end: outcome.End
    sentence: str


class PartFailed(JobRefused):
    """A job within this one did not end well; this one ends as that did."""

    def __init__(self, name: str, ended: End) -> None:
        super().__init__(f"{name} did not end well: {ended.sentence}")
        self.ended = ended


class JobCancelled(BaseException):
    """SIGTERM came. No `except Exception` of a library may swallow it."""


@dataclass(frozen=True)
class Job:
    """What a job is given. `config` is `config.yaml` without its schema version; `datasets` the store's root."""

    folder: Path
    datasets: Path
    events: EventWriter
    config: dict[str, Any]

    def log(self, text: str) -> None:
        """A line of `job.log`."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def run_job(main: Callable[[Job], None], argv: Sequence[str] | None = None) -> int:
    """Call `main` with the job named on the command line; returns the exit code (`runfiles.outcome.CODE_*`).

    `config.yaml` must be there; `versions.json` is written first and `manifest.json` last.
    """
    ears = _open_ears()
    return run_part(main, argv, lambda end: _say(ears, end)).code


def run_part(
    main: Callable[[Job], None], argv: Sequence[str] | None = None, say: Callable[[End], None] = lambda end: None
) -> End:
    """As `run_job`, for a job within another one, which is told the whole end in place of its code.

    `say` is called with the end while SIGTERM is still not heard: it must not be lost.
    """
    folder, datasets = _arguments(argv)
    scrub = _scrubber(folder, datasets)
    before, plain = signal.signal(signal.SIGTERM, _cancel), warnings.formatwarning
    warnings.formatwarning = lambda *words, **more: scrub(plain(*words, **more))  # they begin with a path
    try:
        with at_work.held(folder) as ours:
            if not ours:
                raise JobRefused("Another job is at work in this run directory; wait for its end, or name another.")
            main(_prepare(folder, datasets))
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # all is done: what is left is to say so
            manifest.write(folder)
        end = End(outcome.CODE_OK, "ok", "")
    except BaseException as error:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end = _end_of(error, scrub)
    say(end)
    signal.signal(signal.SIGTERM, before)
    warnings.formatwarning = plain
    return end


def leave(code: int) -> NoReturn:
    """End the process after `run_job`: its files are on the disk, and only memory is left to be given back.

    Python would take its modules apart one by one first, a twentieth of a short job. Neither exit handlers nor
    threads are waited for.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def read_config(folder: Path) -> dict[str, Any]:
    """`config.yaml` of a run directory without its schema version. Raises JobRefused."""
    try:
        config = yamlio.load((folder / layout.CONFIG).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise JobRefused(f"{layout.CONFIG} cannot be read in the run directory.") from error
    except yamlio.ConfigFileError as error:
        raise JobRefused(f"{layout.CONFIG}: {error}.") from error
    version = config.pop("schema_version", layout.SCHEMA_VERSION)
    if version != layout.SCHEMA_VERSION:
        raise JobRefused(f"{layout.CONFIG} has schema_version {version}; this version reads {layout.SCHEMA_VERSION}.")
    return config


def _arguments(argv: Sequence[str] | None) -> tuple[Path, Path]:
    parser = argparse.ArgumentParser(description="A job on a run directory that holds config.yaml.")
    parser.add_argument("run_dir", type=Path, help="the run directory")
    parser.add_argument("--datasets", type=Path, required=True, help="root of the dataset store")
    found = parser.parse_args(argv)
    return found.run_dir.resolve(), found.datasets.resolve()


def _prepare(folder: Path, datasets: Path) -> Job:
    config = read_config(folder)
    atomic.write_json(folder / layout.VERSIONS, versions())
    return Job(folder, datasets, EventWriter(folder / layout.EVENTS), config)


def _cancel(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: cleaning up must not be interrupted again
    raise JobCancelled


def _end_of(error: BaseException, scrub: Callable[[str], str]) -> End:
    """Exit code and sentence of what came out of the job; a crash leaves its traceback in the log."""
    if isinstance(error, PartFailed):
        return End(error.ended.code, error.ended.end, scrub(str(error)))
    if isinstance(error, JobRefused):
        return End(outcome.CODE_REFUSED, error.end, scrub(str(error)))
    if isinstance(error, JobCancelled | KeyboardInterrupt):
        return End(outcome.CODE_CANCELLED, "cancelled", "Cancelled.")
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else outcome.CODE_CRASHED if error.code else outcome.CODE_OK
        return End(code, "error" if code else "ok", "The job left early." if code else "")
    sys.stderr.write(scrub("".join(traceback.format_exception(error))))
    if _is_memory(error):
        return End(outcome.CODE_MEMORY, "oom", "The job ran out of memory; fewer books at once or symbols need less.")
    if is_full(error):
        return End(outcome.CODE_DISK, "disk", "The disk is full; free some space and start the run again.")
    text = str(error).strip().splitlines()
    detail = f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
    return End(outcome.CODE_CRASHED, "error", f"The job crashed ({scrub(detail)}); its log has the details.")


def _is_memory(error: BaseException) -> bool:
    """torch has its own words for what Python calls MemoryError."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError)
        and (type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error))
    )


def _scrubber(folder: Path, datasets: Path) -> Callable[[str], str]:
    """Takes our paths out of a text. The log is shown in the browser: where we are installed is nobody's business."""
    media = {str(folder.parent.parent), str(datasets.parent)}
    prefixes = sorted({str(ROOT), sys.prefix, sys.base_prefix, *media} - {"/"}, key=len, reverse=True)

    def scrub(text: str) -> str:
        for prefix in prefixes:
            text = text.replace(f"{prefix}/", "")
        return text

    return scrub


def _open_ears() -> int | None:
    """The shim's descriptor, kept from children of this process."""
    text = os.environ.pop(LAST_WORDS, "")
    if not text.isdecimal():
        return None
    os.set_inheritable(int(text), False)
    return int(text)


def _say(ears: int | None, end: End) -> None:
    sys.stdout.flush()
    if end.code and end.sentence:
        sys.stderr.write(end.sentence + "\n")
        sys.stderr.flush()
    if ears is None:
        return
    words = json.dumps({"end": end.end, "sentence": end.sentence[: outcome.MAX_SENTENCE]})
    try:
        os.write(ears, words.encode())
        os.close(ears)
    except OSError as error:
        sys.stderr.write(f"The shim does not listen ({error.strerror}).\n")
