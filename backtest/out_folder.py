"""The run directory that a person on a command line asks for: new, empty, or left by a run that was refused."""

import argparse
from pathlib import Path

from runfiles import at_work, layout

HELP = "the run directory to make: a new folder, an empty one, or one that a refused run has left"

_OF_REFUSED = frozenset({layout.CONFIG, layout.VERSIONS, layout.EVENTS, layout.RESULT})
"""What a run leaves that ends before it has read its data, and what one at work has until then."""


def make(parser: argparse.ArgumentParser, out: Path, *given: Path) -> None:
    """Make it. What a refused run left there makes room, unless it is one of the `given` files. Leaves with a sentence
    where the folder holds anything else, or a run is at work in it.
    """
    try:
        with at_work.held(out) as free:
            if not free:
                parser.error(f"a run is at work in {out}; name a new folder")
            _empty(parser, out, given)
        out.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        parser.error(f"{out} is a file; name a new folder")
    except OSError as fault:
        parser.error(f"{out} cannot be made ({fault.strerror})")


def _empty(parser: argparse.ArgumentParser, out: Path, given: tuple[Path, ...]) -> None:
    left = list(out.iterdir()) if out.is_dir() else []
    names = {path.name for path in left}
    if (names and not (names <= _OF_REFUSED and layout.VERSIONS in names)) or _holds(out, given):
        parser.error(f"{out} is not empty; name a new folder")
    for path in left:
        path.unlink()


def _holds(out: Path, given: tuple[Path, ...]) -> bool:
    return any(path.resolve().parent == out.resolve() for path in given)
