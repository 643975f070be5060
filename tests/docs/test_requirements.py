"""Every requirement is pinned exactly and says why it is there; none is pinned twice in one environment."""

import ast
import importlib.metadata
import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

ROOMS = ("accounts", "backtest", "marketdata", "rl", "runfiles", "runs_app", "scripts", "simulator", "stockbot_site")
FILES = sorted(ROOT.glob("requirements*.txt"))
LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*(?:\[[a-z0-9,]+\])?)==(\d[\w.!+-]*) +# \S.*")


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_line_is_an_exact_pin_with_its_reason(path: Path) -> None:
    wrong = [
        line for line in lines(path) if not LINE.fullmatch(line) and not re.fullmatch(r"-r requirements\.txt", line)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_pinned_twice(path: Path) -> None:
    names = [found[1].lower() for line in lines(path) if (found := LINE.fullmatch(line))]
    assert sorted(names) == sorted(set(names))


def test_what_tests_alone_use_is_not_installed_for_everybody() -> None:
    """Each package of requirements.txt is named, as module or application, in a file outside of tests."""
    code = "\n".join(path.read_text() for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    modules: dict[str, list[str]] = {}
    for module, names in importlib.metadata.packages_distributions().items():
        for name in names:
            modules.setdefault(name.lower().replace("_", "-"), []).append(module)
    wanted = [
        found[1].lower().replace("_", "-")
        for line in lines(ROOT / "requirements.txt")
        if (found := LINE.fullmatch(line))
    ]
    unused = [name for name in wanted if not any(re.search(rf"\b{module}\b", code) for module in modules[name])]
    assert unused == []


COMES_WITH = {"asgiref": "django", "llvmlite": "numba", "twisted": "daphne", "autobahn": "daphne",
              "pydantic-core": "pydantic", "annotated-types": "pydantic"}  # fmt: skip
"""Part of a pinned package: nobody would have the one without the other."""


@pytest.mark.parametrize(
    ("rooms", "names"),
    [
        (tuple(room for room in ROOMS if room != "scripts"), ("requirements.txt",)),
        (("scripts",), ("requirements.txt", "requirements-dev.txt")),
    ],
    ids=["for everybody", "scripts of ours"],
)
def test_what_is_imported_is_pinned(rooms: tuple[str, ...], names: tuple[str, ...]) -> None:
    """A package that only happens to be installed here would be missing from a fresh install."""
    files = [ROOT / name for name in names]
    pinned = {found[1].lower().replace("_", "-") for path in files for line in lines(path)
              if (found := LINE.fullmatch(line))}  # fmt: skip
    owners = {module: names[0].lower().replace("_", "-")
              for module, names in importlib.metadata.packages_distributions().items()}  # fmt: skip
    used = {owners[name] for room in rooms for path in (ROOT / room).rglob("*.py") for name in imported(path)
            if name in owners and not (ROOT / name).exists()}  # fmt: skip
    assert {COMES_WITH.get(name, name) for name in used} <= pinned


def imported(path: Path) -> set[str]:
    """Top names of every import in a file, those inside of functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found
