"""`make bench`: every benchmark, ours and its reference in turns on one core; one table, and results.json beside it."""

import argparse
import importlib
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.timing import pin

RESULTS = Path(__file__).with_name("results.json")
MODULES = {
    "B1": "engine", "B2": "engine", "B3": "sweep", "B4": "engine", "B5": "judgement", "B6": "report", "R5": "books",
    "R1": "training", "R2": "training", "R8": "training", "R4": "training", "R6": "learning", "R7": "acting",
}  # fmt: skip

LONG = frozenset({"R6"})
"""Days of work: measured only where they are named."""


def main() -> int:
    """0 when every figure is equal to its reference, whether it meets its goal or not; 1 for a void one."""
    wanted = chosen(arguments())
    print(f"one {pin()}; ours and the reference in turns")
    figures: list[Figure] = []
    for module in dict.fromkeys(MODULES[name] for name in wanted):
        with tempfile.TemporaryDirectory() as folder:
            figures += importlib.import_module(f"benchmarks.{module}").run(Path(folder), wanted)
    print(table(figures))
    RESULTS.write_text(json.dumps([figure.as_dict() for figure in figures], indent=1, ensure_ascii=False) + "\n")
    return 0 if all(figure.equal for figure in figures) else 1


def arguments() -> str:
    parser = argparse.ArgumentParser(description="Our speed beside its peers.")
    usual = ",".join(name for name in MODULES if name not in LONG)
    parser.add_argument("--only", default=usual, help=f"Some of {', '.join(MODULES)}, with commas between.")
    return str(parser.parse_args().only)


def chosen(text: str) -> list[str]:
    """The benchmarks named in `text`. Ends the process with one sentence for one that there is not."""
    names = [name.strip().upper() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in MODULES]
    if unknown or not names:
        sys.exit(f"There is no benchmark {', '.join(unknown) or 'without a name'}; there are {', '.join(MODULES)}.")
    return names


def table(figures: list[Figure]) -> str:
    """One line a figure: ours, the reference, the ratio, the goal and whether it is met."""
    rows = [("id", "ours", "reference", "unit", "ratio", "goal", "stretch", "met")]
    rows += [
        (f.id, number(f.ours), number(f.reference), f.unit, number(f.ratio), number(f.goal), number(f.stretch),
         "void" if not f.equal else "yes" if f.met else "no")
        for f in figures
    ]  # fmt: skip
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def number(value: float | None) -> str:
    return "—" if value is None else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


if __name__ == "__main__":
    sys.exit(main())
