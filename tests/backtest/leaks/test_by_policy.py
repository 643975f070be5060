"""One report of the gate over several policies: as bad as the worst of them, which it names."""

from backtest.leaks.by_policy import merged
from backtest.leaks.report import Check, CheckState, LeakReport, Reach


def report(state: CheckState, sentence: str = "", cuts: tuple[str, ...] = ("2020-01-02",), cut: int = 5) -> LeakReport:
    checks = (Check("features", "Features", state, 3, sentence), Check("book", "Book", "passed", 2, ""))
    return LeakReport("policy", "2020-01-01", "2020-12-31", cuts, 4, checks, Reach("features", cut, 100))


def test_cases_add_up_where_all_pass() -> None:
    found = merged([report("passed"), report("passed", cuts=("2020-03-02", "2020-01-02"), cut=2)], ("Seed 7", "Seed 9"))
    assert found.state == "passed" and found.reruns == 8
    assert [check.cases for check in found.checks] == [6, 4]
    assert found.cuts == ("2020-01-02", "2020-03-02") and found.reach == Reach("features", 2, 100)


def test_the_worst_seed_is_named() -> None:
    found = merged(
        [report("not_examined", "no bars"), report("failed", "it knows later bars"), report("passed")],
        ("Seed 7", "Fold 2", "Seed 1"),
    )
    assert found.state == "failed" and found.sentence == "Fold 2: it knows later bars"
    found = merged([report("passed"), report("not_examined", "no bars")], ("Seed 7", "Seed 9"))
    assert found.state == "incomplete" and found.sentence == "Seed 9: no bars"
