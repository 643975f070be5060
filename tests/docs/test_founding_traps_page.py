"""docs/founding-traps.md names each trap, and tests that are there; no test of a trap is missing from it."""

import ast
import re

from tests.docs.pages import ROOT, codes, page, section, table

PAGE = page("docs/founding-traps.md")
ROWS = [*table(section(PAGE, "Results")), *table(section(PAGE, "Service"))]
NAMED = [code for row in ROWS for code in codes(row[2]) if "::" in code]


def functions_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_trap_has_a_row_and_a_test_or_says_that_it_has_none() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 25))
    assert all("::" in row[2] or row[2] == "not built yet" for row in ROWS)


def test_every_test_that_is_named_is_there() -> None:
    missing = [code for code in NAMED if code.partition("::")[2] not in functions_in(code.partition("::")[0])]
    assert missing == []


def test_every_test_of_a_trap_stands_at_its_number() -> None:
    there = {
        (int(number[1]), f"{path.relative_to(ROOT)}::{name}")
        for path in sorted((ROOT / "tests").rglob("test_founding_traps.py"))
        for name in functions_in(str(path.relative_to(ROOT)))
        if (number := re.match(r"test_trap_(\d+)_", name))
    }
    assert there <= {(int(row[0]), code) for row in ROWS for code in codes(row[2])}
