"""For people on a command line: `python -m backtest.run --config FILE.yaml --out DIR --datasets DIR`.

Here and nowhere else `--strategy my_module:MyStrategy`, once or more, brings strategies of one's own along.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from backtest import out_folder
from runfiles import layout


def prepare(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Make DIR a run directory with this configuration; gives the arguments of the run, and the strategies of one's own
    by their dotted paths. Leaves with a sentence.
    """
    parser = argparse.ArgumentParser(
        prog="python -m backtest.run", description="Judge a strategy by a configuration file."
    )
    parser.add_argument("--config", type=Path, required=True, help="a backtest's configuration, YAML")
    parser.add_argument("--out", type=Path, required=True, help=out_folder.HELP)
    parser.add_argument("--datasets", type=Path, required=True, help="root of the dataset store")
    parser.add_argument(
        "--strategy",
        action="append",
        default=[],
        metavar="MODULE:CLASS",
        help="one of your own; may be repeated",
    )
    found = parser.parse_args(argv)
    if not found.config.is_file():
        parser.error(f"there is no file {found.config}")
    try:
        content = found.config.read_bytes()
    except OSError as fault:
        parser.error(f"{found.config} cannot be read ({fault.strerror})")
    out_folder.make(parser, found.out, found.config)
    try:
        (found.out / layout.CONFIG).write_bytes(content)
    except OSError as fault:
        parser.error(f"{found.out} cannot be filled ({fault.strerror})")
    return [str(found.out), "--datasets", str(found.datasets)], found.strategy
