"""A policy that was trained on other symbols says so."""

import pytest

from backtest.stamps import symbols_stamp

ABC = ("A", "B", "C")
MANY = tuple(f"S{k}" for k in range(14))


@pytest.mark.parametrize(
    ("here", "told"),
    [
        (ABC, []),
        (("C", "A", "B"), []),
        (("A", "D"), ["1 of 2 symbols were not in its training: D."]),
        (("A", "B", "C", "D"), ["1 of 4 symbols were not in its training: D."]),
        (("B",), ["Judged on 1 of the 3 symbols that it was trained on."]),
        (MANY, [f"14 of 14 symbols were not in its training: {', '.join(MANY[:12])} and 2 more."]),
    ],
)
def test_symbols_that_are_not_those_of_the_training(here: tuple[str, ...], told: list[str]) -> None:
    assert symbols_stamp(ABC, here) == told
