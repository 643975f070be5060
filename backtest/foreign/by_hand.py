"""For people on a command line: `python -m backtest.foreign RESULT --dataset ID --out DIR --datasets DIR`."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backtest import out_folder
from runfiles import layout, yamlio
from runfiles.hashes import sha256_of_file

FIELDS = ("holds", "date", "value", "date_format", "times")
OF_STRATEGY = ("policy", "run_id", "policy_sha256", "features", "split")
"""What a backtest's configuration says of its strategy; the curve stands in its place, on the days of its file."""


def prepare(argv: Sequence[str]) -> list[str]:
    """Make DIR a run directory with the file and its configuration; gives the arguments of the run. Leaves with a
    sentence.
    """
    parser = _parser()
    found = parser.parse_args(argv)
    if not found.result.is_file():
        parser.error(f"there is no file {found.result}")
    if found.config is not None and not found.config.is_file():
        parser.error(f"there is no file {found.config}")
    config = _config(parser, found)
    out_folder.make(parser, found.out, found.result, *([found.config] if found.config else []))
    try:
        shutil.copyfile(found.result, found.out / layout.RESULT)
        config.setdefault("file_sha256", sha256_of_file(found.out / layout.RESULT))
        (found.out / layout.CONFIG).write_text(yamlio.dump(config), encoding="utf-8")
    except OSError as fault:
        (found.out / layout.RESULT).unlink(missing_ok=True)
        parser.error(f"{found.out} cannot be filled ({fault.strerror})")
    return [str(found.out), "--datasets", str(found.datasets)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m backtest.foreign", description="Judge a result that was made elsewhere, beside our baselines."
    )
    parser.add_argument("result", type=Path, help="CSV or Parquet with a column of days and one of equity or returns")
    parser.add_argument("--dataset", metavar="ID", help="the stored bars whose days it has, such as sample/us20")
    parser.add_argument("--config", type=Path, help="a configuration with costs and baselines, YAML")
    parser.add_argument("--out", type=Path, required=True, help=out_folder.HELP)
    parser.add_argument("--datasets", type=Path, required=True, help="root of the dataset store")
    parser.add_argument("--holds", choices=("equity", "returns", "returns_percent"), help="what a row says")
    parser.add_argument("--date", metavar="COLUMN", help="column of days, where its name does not say so")
    parser.add_argument("--value", metavar="COLUMN", help="column of equity or returns, likewise")
    parser.add_argument("--date-format", help="order of year, month and day: ymd, dmy, mdy, epoch_s or epoch_ms")
    parser.add_argument("--times", choices=("day", "close"), help="what a time in the column of days stands for")
    parser.add_argument("--start", help="first day that is judged")
    parser.add_argument("--end", help="last day that is judged")
    return parser


def _config(parser: argparse.ArgumentParser, found: argparse.Namespace) -> dict[str, Any]:
    """The file's configuration, and over it what the command line names."""
    try:
        config = yamlio.load(found.config.read_text(encoding="utf-8")) if found.config else {}
    except OSError as fault:
        parser.error(f"{found.config} cannot be read ({fault.strerror})")
    except (yamlio.ConfigFileError, UnicodeDecodeError) as fault:
        parser.error(f"{found.config}: {fault}")
    if beside := [name for name in OF_STRATEGY if name in config]:
        said = f"{', '.join(beside)} of {found.config} left out: the result stands in the strategy's place"
        sys.stdout.write(f"note: {said}.\n")
        config = {name: value for name, value in config.items() if name not in beside}
    groups: dict[str, dict[str, Any]] = {
        "dataset": {"id": found.dataset},
        "result": {name: getattr(found, name) for name in FIELDS},
    }
    for name, values in groups.items():
        given = {key: value for key, value in values.items() if value is not None}
        if given and not isinstance(config.setdefault(name, {}), dict):
            parser.error(f"{found.config}: {name} must be a group of fields")
        if given:
            config[name].update(given)
    return config | {name: getattr(found, name) for name in ("start", "end") if getattr(found, name) is not None}
