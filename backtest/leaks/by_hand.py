"""For people on a command line: `python -m backtest.leaks CONFIG [--datasets ROOT]`, a table and an exit code.

Here and nowhere else `--strategy my_module:MyStrategy`, once or more, brings strategies of one's own along.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from backtest.leaks.report import LeakReport
from backtest.leaks.run import examine, lines
from runfiles import layout, yamlio
from runfiles.events import EventWriter
from runfiles.job import Job, JobRefused

PASSED, LEAK, BAD_INPUT = 0, 1, 2


def main(argv: Sequence[str]) -> int:
    """0: every check passed; 1: a leak, or something that could not be examined; 2: bad input, one sentence."""
    parser = argparse.ArgumentParser(
        prog="python -m backtest.leaks", description="Check a training's or a backtest's configuration for leaks."
    )
    parser.add_argument("config", type=Path, help="a configuration, YAML; a policy file policy.zip lies beside it")
    parser.add_argument(
        "--datasets", type=Path, help="root of the dataset store; the server's where it is not given",
        default=Path(os.environ.get("STOCKBOT_MEDIA", "media")) / "datasets",
    )  # fmt: skip
    parser.add_argument(
        "--strategy", action="append", default=[], metavar="MODULE:CLASS", help="one of your own; may be repeated"
    )
    found = parser.parse_args(argv)
    try:
        report = _examine(found.config, found.datasets, found.strategy)
    except JobRefused as fault:
        sys.stderr.write(f"{fault}\n")
        return BAD_INPUT
    sys.stdout.write("\n".join(lines(report)) + "\n")
    return PASSED if report.state == "passed" else LEAK


def _examine(path: Path, datasets: Path, own: Sequence[str]) -> LeakReport:
    try:
        config = yamlio.load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise JobRefused(f"there is no readable file {path}") from error
    except yamlio.ConfigFileError as error:
        raise JobRefused(f"{path}: {error}") from error
    config.pop("schema_version", None)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        policy = path.parent / layout.JUDGED_POLICY
        if policy.is_file():
            (folder / layout.JUDGED_POLICY).write_bytes(policy.read_bytes())
        return examine(Job(folder, datasets.resolve(), EventWriter(folder / layout.EVENTS), config), own)
