"""docs/leak-gate.md and docs/run-directory.md say of the leak gate what the code does."""

from typing import get_args

from backtest.leaks.alter import HORIZON, WORDS
from backtest.leaks.cuts import BACK
from backtest.leaks.report import NAMES, Check, CheckState, GateState, LeakReport
from tests.docs.pages import codes, named, page, section, table

GATE = page("docs/leak-gate.md")
FILE = section(page("docs/run-directory.md"), "leaks.json")


def test_every_check_and_every_alteration() -> None:
    assert [row[0].replace(" ", "_") for row in table(GATE)] == list(WORDS)
    checks = GATE[GATE.index("| check |") :]
    assert [codes(row[0])[0] for row in table(checks)] == list(NAMES)
    assert f"{HORIZON} bars are kept" in GATE and BACK == 12 and "at most twelve decisions" in GATE


def test_every_key_of_the_file() -> None:
    empty = LeakReport("policy", "", "", (), 0, (Check("lag", "", "passed", 0, ""),))
    assert named(FILE) == set(empty.as_dict())
    rows = {codes(row[0])[0]: codes(row[1]) for row in table(FILE)}
    assert set(rows["state"]) == set(get_args(GateState))
    assert set(rows["checks"]) == set(Check.__dataclass_fields__) | set(get_args(CheckState))
