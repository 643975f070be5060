"""Break the numbers on purpose, one small change at a time, and list the changes that no test notices.

    python scripts/mutate.py simulator/fill.py simulator/decide.py
    python scripts/mutate.py backtest/statistics.py --tests tests/backtest/test_statistics.py --sample 50

Each file is changed in a copy of the tracked tree and the fast tests of its room are run there, compiled code as plain
Python, so that nothing is compiled again. A survivor is a missing test or a change without an effect; somebody has to
look. It is a tool of ours and no part of the suite: a file takes minutes.
"""

import argparse
import ast
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS: dict[str, str] = {
    "simulator": "extended_cases cases edges founding_traps mapping identities golden many exponential regulatory "
                 "oracle claims",
    "backtest/metrics.py": "metrics against_quantstats",
    "backtest/series.py": "series metrics",
    "backtest/statistics.py": "limits statistics seeds",
    "backtest/trades.py": "trades trade_columns breakdown",
    "backtest/verdict.py": "verdict verdict_borders needed",
    "backtest/bootstrap.py": "bootstrap limits seeds",
    "marketdata/indicators": "indicator_formulas indicators causality",
    "marketdata/features.py": "features timeframes features_on_splits",
    "marketdata/adjust.py": "adjust",
    "marketdata/regime.py": "regime founding_traps",
    "marketdata/splits.py": "splits walk_forward",
}  # fmt: skip
"""Tests by the longest beginning of a file's name; --tests overrules it."""
STUBS = {"simulator/prefetch.py": "def prefetch(array, row, column):\n    pass\n"}
"""What plain Python cannot run: a hint to the memory, without an effect on a number."""
LIMIT_S = 300

COMPARE = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "=="}
BINARY = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Pow: "*", ast.Mod: "*"}
NAMES = {"min": "max", "max": "min", "floor": "ceil", "ceil": "floor", "minimum": "maximum", "maximum": "minimum",
         "fmin": "fmax", "fmax": "fmin", "all": "any", "any": "all"}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """`text` in the place of start..end (characters of the file), on `line`."""

    file: str
    line: int
    start: int
    end: int
    text: str

    def of(self, source: str) -> str:
        return source[: self.start] + self.text + source[self.end :]

    def told(self, source: str) -> str:
        lines = (source.splitlines()[self.line - 1].strip(), self.of(source).splitlines()[self.line - 1].strip())
        return f"{self.file}:{self.line}: {lines[0]}\n    -> {lines[1]}"


class Finder(ast.NodeVisitor):
    """Everything in a file that can be changed; annotations, docstrings and raised sentences are left alone."""

    def __init__(self, file: str, source: str) -> None:
        self.file, self.source, self.found = file, source, list[Mutant]()
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._lines = source.splitlines(keepends=True)

    def visit_Compare(self, node: ast.Compare) -> None:
        left = node.left
        for kind, right in zip(node.ops, node.comparators, strict=True):
            if type(kind) in COMPARE:
                self._between(left, right, COMPARE[type(kind)])
            left = right
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in BINARY:
            self._between(node.left, node.right, BINARY[type(node.op)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        word = "or" if isinstance(node.op, ast.And) else "and"
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(left, right, word)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if type(node.op) in BINARY:
            self._between(node.target, node.value, f"{BINARY[type(node.op)]}=")
        self.visit(node.value)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not | ast.USub):
            self._add(node, self._place(node), self._place(node.operand), "")
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        start, end = self._place(node), self._place(node, end=True)
        if isinstance(node.value, bool):
            self._add(node, start, end, str(not node.value))
        elif isinstance(node.value, int):
            self._add(node, start, end, str(node.value + 1))
        elif isinstance(node.value, float):
            self._add(node, start, end, repr(node.value * 2 if node.value else 1.0))

    def visit_Call(self, node: ast.Call) -> None:
        place = node.func
        name = place.attr if isinstance(place, ast.Attribute) else place.id if isinstance(place, ast.Name) else ""
        if name in NAMES:
            end = self._place(place, end=True)
            self._add(node, end - len(name), end, NAMES[name])
        self.generic_visit(node)

    def visit_Continue(self, node: ast.Continue) -> None:
        self._add(node, self._place(node), self._place(node, end=True), "pass")

    def visit_Break(self, node: ast.Break) -> None:
        self._add(node, self._place(node), self._place(node, end=True), "pass")

    def visit_Raise(self, node: ast.Raise) -> None:
        """Sentences have tests of their own."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in (*node.args.defaults, *(d for d in node.args.kw_defaults if d), *node.body):
            self.visit(part)

    def _negate(self, test: ast.expr) -> None:
        if not isinstance(test, ast.Compare | ast.BoolOp):  # those are changed inside
            start, end = self._place(test), self._place(test, end=True)
            self._add(test, start, end, f"(not ({self.source[start:end]}))")

    def _between(self, left: ast.AST, right: ast.AST, text: str) -> None:
        """The operator, wherever it stands between brackets and blanks."""
        start, end = self._place(left, end=True), self._place(right)
        gap = self.source[start:end]
        first = len(gap) - len(gap.lstrip(" \n)\t"))
        last = len(gap.rstrip(" \n(\t"))
        if "#" not in gap and first < last:
            self._add(right, start + first, start + last, text)

    def _place(self, node: ast.AST, *, end: bool = False) -> int:
        line = node.end_lineno if end else node.lineno  # type: ignore[attr-defined]
        column = node.end_col_offset if end else node.col_offset  # type: ignore[attr-defined]
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def _add(self, node: ast.AST, start: int, end: int, text: str) -> None:
        line = self.source.count("\n", 0, start) + 1
        self.found.append(Mutant(self.file, line, start, end, text))


def mutants(file: str) -> list[Mutant]:
    source = (ROOT / file).read_text(encoding="utf-8")
    finder = Finder(file, source)
    finder.visit(ast.parse(source))
    return [one for one in sorted(set(finder.found), key=lambda one: (one.start, one.text)) if _sound(one, source)]


def _sound(mutant: Mutant, source: str) -> bool:
    with contextlib.suppress(SyntaxError):
        return ast.dump(ast.parse(mutant.of(source))) != ast.dump(ast.parse(source))
    return False


def tests_of(file: str) -> list[str]:
    known = [name for name in TESTS if file.startswith(name)]
    if not known:
        raise SystemExit(f"{file}: which tests? Name them with --tests.")
    room = f"tests/{file.partition('/')[0]}"
    return [f"{room}/test_{name}.py" for name in TESTS[max(known, key=len)].split()]


def copy_tree(folder: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for name, text in STUBS.items():
        (folder / name).write_text(text)


def passes(folder: Path, tests: list[str]) -> bool | None:
    """Whether the tests pass in a copy; None where they do not come to an end.

    A fork of this process, which has imported everything that is not ours: starting afresh would take longer than most
    of the tests.
    """
    child = os.fork()
    if child == 0:
        _be_child(folder, tests)
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _be_child(folder: Path, tests: list[str]) -> None:
    import pytest

    try:
        silence = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(silence, number)
        os.chdir(folder)
        sys.path[:] = [str(folder)] + [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]
        options = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", "--no-header", "-W", "ignore"]
        os._exit(int(pytest.main([*options, *tests])))
    finally:
        os._exit(3)


def survivors(found: list[Mutant], tests: list[str], jobs: int) -> Iterator[tuple[Mutant, bool]]:
    """Changes that no test noticed, (change, True), and those whose tests never ended, (change, False)."""
    with contextlib.ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mutate-"))) for _ in range(jobs)]
        for folder in folders:
            copy_tree(folder)
        if not passes(folders[0], tests):
            raise SystemExit(f"The tests fail, or do not end, before anything is changed: {' '.join(tests)}")

        def outcome(mutant: Mutant) -> bool | None:
            folder = folders.pop()
            target = folder / mutant.file
            whole = target.read_text(encoding="utf-8")
            try:
                target.write_text(mutant.of(whole), encoding="utf-8")
                return passes(folder, tests)
            finally:
                target.write_text(whole, encoding="utf-8")
                folders.append(folder)

        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        for mutant, passed in zip(found, pool.map(outcome, found), strict=True):
            if passed is not False:
                yield mutant, passed is True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help="below the root of the checkout")
    parser.add_argument("--tests", nargs="+", help="in the place of the tests of each file's room")
    parser.add_argument("--sample", type=int, help="that many changes of each file, drawn from --seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    _import_what_is_not_ours()
    for file in asked.files:
        found, source = mutants(file), (ROOT / file).read_text(encoding="utf-8")
        if asked.sample and asked.sample < len(found):
            found = sorted(random.Random(asked.seed).sample(found, asked.sample), key=lambda one: one.start)
        started, left = time.monotonic(), [0, 0]
        for mutant, ended in survivors(found, asked.tests or tests_of(file), asked.jobs):
            left[ended] += 1
            print(mutant.told(source) if ended else f"no end: {mutant.told(source)}", flush=True)
        took = f"{time.monotonic() - started:.0f} s"
        print(f"{file}: {len(found)} changes, {left[1]} unnoticed, {left[0]} without an end, {took}", flush=True)


def _import_what_is_not_ours() -> None:
    os.environ.update(NUMBA_DISABLE_JIT="1", PYTHONDONTWRITEBYTECODE="1")
    sys.dont_write_bytecode = True  # two changes of one second would share a cached file
    for name in ("numpy", "numba", "pandas", "pydantic", "hypothesis", "pytest", "scipy.stats", "django", "pyarrow"):
        __import__(name)


if __name__ == "__main__":
    main()
