"""The first bar on which two books differ, against tables on paper."""

from pathlib import Path

import pytest

from rl.reproduce.first_bar import first_bar, first_cell
from runfiles.bundle import BundleRefused

EQUITY = "time,equity,cash\n1,100.0,50.0\n2,101.0,50.0\n3,102.0,50.0\n"
WEIGHTS = "time,AAPL,KO\n1,0.5,0.0\n2,0.5,0.1\n3,0.5,0.2\n"
ORDERS = "id,decided,filled,symbol,side,qty_target,price_fill\n1,1,2,KO,buy,3.0,10.0\n2,2,3,KO,buy,4.0,11.0\n"


def folder(path: Path, **tables: str) -> Path:
    path.mkdir()
    for name, text in ({"equity": EQUITY, "weights": WEIGHTS, "orders": ORDERS} | tables).items():
        (path / f"{name}.csv").write_text(text)
    return path


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"equity": EQUITY.replace("101.0", "101.5")}, "2: equity of equity.csv is 101.0 in the bundle, 101.5 here"),
        ({"weights": WEIGHTS.replace("0.1", "0.3")}, "2: KO, weight of weights.csv is 0.1 in the bundle, 0.3 here"),
        # decided at the close of 1, filled in 2: another target is a decision, another price a fill
        ({"orders": ORDERS.replace("3.0", "5.0")}, "1: KO, qty_target of orders.csv is 3.0 in the bundle, 5.0 here"),
        ({"orders": ORDERS.replace("10.0", "9.0")}, "2: KO, price_fill of orders.csv is 10.0 in the bundle, 9.0 here"),
        ({"equity": EQUITY[:-13]}, "3: the row of equity.csv is there in the bundle, missing here"),
        (
            {"equity": EQUITY.replace("101.0", "7"), "orders": ORDERS.replace("10.0", "9.0")},
            "2: KO, price_fill of orders.csv is 10.0 in the bundle, 9.0 here",  # a bar's fills come before its close
        ),
        (
            {"equity": EQUITY.replace("101.0", "7"), "orders": ORDERS.replace("4.0", "6.0")},
            "2: equity of equity.csv is 101.0 in the bundle, 7 here",  # and its decisions after it
        ),
    ],
)
def test_the_first_bar(changed: dict[str, str], sentence: str, tmp_path: Path) -> None:
    found = first_bar(folder(tmp_path / "theirs"), folder(tmp_path / "ours", **changed))
    assert found is not None and found.sentence() == f"The first bar that differs is {sentence}."


def test_the_same_books_have_none(tmp_path: Path) -> None:
    assert first_bar(folder(tmp_path / "theirs"), folder(tmp_path / "ours")) is None


def test_the_order_of_columns_may_differ_and_their_names_may_not(tmp_path: Path) -> None:
    turned = "time,cash,equity\n1,50.0,100.0\n2,50.0,101.0\n3,50.0,102.0\n"
    one = folder(tmp_path / "theirs") / "equity.csv"
    assert first_cell(one, folder(tmp_path / "turned", equity=turned) / "equity.csv") is None
    found = first_cell(one, folder(tmp_path / "fewer", equity=turned.replace("cash", "gross")) / "equity.csv")
    assert found is not None and (found.row, found.column, found.theirs, found.ours) == (0, "cash", "there", None)


def test_columns_that_may_differ_are_not_looked_at(tmp_path: Path) -> None:
    one = folder(tmp_path / "theirs") / "equity.csv"
    other = folder(tmp_path / "ours", equity=EQUITY.replace("50.0", "51.0")) / "equity.csv"
    assert first_cell(one, other, frozenset({"cash"})) is None
    assert first_cell(one, other) is not None


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    """A field longer than the reader takes, in a bundle of somebody else."""
    (tmp_path / "bad.csv").write_text('time,equity,cash\n1,"' + "x" * 200_000 + '"\n')
    (tmp_path / "good.csv").write_text(EQUITY)
    with pytest.raises(BundleRefused, match=r"bad\.csv is no table"):
        first_cell(tmp_path / "bad.csv", tmp_path / "good.csv")
