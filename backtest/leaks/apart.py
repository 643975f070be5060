"""Foreign code on altered bars, each run in a process that has seen no other bars.

What a strategy or an indicator keeps outside of itself (a dictionary of its class, a memo of its module) outlives a
run: filled on the true bars, it would answer from there on the altered ones, and nothing would change. So a fresh
process (`backtest.leaks.child`) imports the code, and splits off a copy of itself for each run.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from backtest.leaks.exchange import load_outcome, save_bars
from backtest.leaks.probes import Recipe
from backtest.leaks.trace import Ask, Outcome
from marketdata.bars import Bars
from simulator.config import SimulatorConfig


class NotRemade(ValueError):
    """The other process could not do it; the message is a clause."""


def run_apart(recipe: Recipe, bars: Bars, config: SimulatorConfig, asks: Sequence[Ask]) -> Iterator[Outcome]:
    """What comes out of each, in their order. Raises NotRemade."""
    rules = {"model": dotted(config), "config": config.model_dump(mode="json")}
    asked = {"recipe": asdict(recipe), "rules": rules, "asks": [asdict(ask) for ask in asks]}
    with child(asked, bars) as (folder, heard):
        for number in range(len(asks)):
            if not heard.readline():
                raise NotRemade(why(folder))
            yield load_outcome(folder / f"{number}.npz")


def dotted(value: object) -> str:
    """`module:Class` of a value."""
    return f"{type(value).__module__}:{type(value).__qualname__}"


@contextmanager
def child(asked: dict[str, Any], bars: Bars) -> Iterator[tuple[Path, IO[str]]]:
    """The folder where it leaves what comes out, and what it tells: a line for each answer."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        save_bars(folder, bars)
        (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
        ours, theirs = os.pipe()
        command = [sys.executable, "-P", "-m", "backtest.leaks.child", made, str(theirs)]
        places = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
        with os.fdopen(ours, encoding="utf-8") as heard:
            try:
                process = subprocess.Popen(command, pass_fds=(theirs,), env=os.environ | {"PYTHONPATH": places})
            finally:
                os.close(theirs)
            try:
                yield folder, heard
            finally:
                process.terminate()
                process.wait()


def why(folder: Path) -> str:
    """What went wrong there, as a clause."""
    said = folder / "fault.txt"
    return said.read_text(encoding="utf-8") if said.is_file() else "it ended early; its log has the details"
