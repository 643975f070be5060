"""The page on results made again says what the code lets differ, and which exit codes there are."""

from rl.reproduce import __main__ as command
from rl.reproduce import may_differ
from tests.docs.pages import codes, page, section, table

PAGE = page("docs/reproduce.md")


def test_all_that_may_differ() -> None:
    told: set[str] = set()
    for row in table(section(PAGE, "What may differ")):
        told |= set(codes(row[0]))
    assert told == {*may_differ.FILES, *may_differ.PROGRESS}


def test_every_exit_code() -> None:
    text = PAGE[PAGE.index("| exit code |") : PAGE.index("## What can be")]
    rows = {int(row[0]) for row in table(text)}
    assert rows == {command.IDENTICAL, command.DIFFERENT, 2, command.REFUSED, command.FAILED}
