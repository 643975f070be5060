"""The run directory that a person on a command line asks for: new, empty, or left by a run that was refused."""

import argparse
from pathlib import Path

from runfiles import layout

_OF_REFUSED = frozenset({layout.CONFIG, layout.VERSIONS, layout.EVENTS, layout.RESULT})
"""What a run leaves that ends before it has read its data."""


def make(parser: argparse.ArgumentParser, out: Path, *given: Path) -> None:
    """Make it. What a refused run left there makes room, unless it is one of the `given` files. Leaves with a sentence
    where the folder holds anything else.
    """
    try:
        left = [path for path in out.iterdir()] if out.is_dir() else []
        names = {path.name for path in left}
        if (names and not (names <= _OF_REFUSED and layout.VERSIONS in names)) or _holds(out, given):
            parser.error(f"{out} is not empty; name a new folder")
        for path in left:
            path.unlink()
        out.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        parser.error(f"{out} is a file; name a new folder")
    except OSError as fault:
        parser.error(f"{out} cannot be made ({fault.strerror})")


def _holds(out: Path, given: tuple[Path, ...]) -> bool:
    return any(path.resolve().parent == out.resolve() for path in given)
