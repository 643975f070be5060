"""What a figure says: ratio, goal, and that unequal answers void it before anything is timed."""

import pytest

from benchmarks.figure import Goal, Work, make_figure
from benchmarks.timing import measure

TIME = Work("X", "a time", "ms", "time", Goal(50.0, "ratio"))
RATE = Work("Y", "a rate", "steps/s", "rate", Goal(1000.0, "ours", 2000.0))
LIMIT = Work("Z", "a time", "ms", "time", Goal(30.0, "ours", 20.0))


@pytest.mark.parametrize(
    ("work", "ours", "reference", "ratio", "met"),
    [
        (TIME, 2.0, 100.0, 50.0, True),
        (TIME, 2.0, 99.0, 49.5, False),
        (RATE, 1000.0, 250.0, 4.0, True),
        (RATE, 999.0, 1.0, 999.0, False),
        (LIMIT, 30.0, 15.0, 0.5, True),
        (LIMIT, 31.0, 9000.0, 9000 / 31, False),
    ],
)
def test_ratio_and_goal(work: Work, ours: float, reference: float, ratio: float, met: bool) -> None:
    figure = make_figure(work, ours, reference, {})
    assert figure.ratio == pytest.approx(ratio)
    assert (figure.met, figure.equal) == (met, True)


def test_unequal_answers_void_the_figure_and_nothing_is_timed() -> None:
    def never() -> tuple[float, float]:
        raise AssertionError("a void figure was timed")

    figure = measure(TIME, lambda: ["the answers differ"], never, lambda seconds: seconds, {"peer": "1"})
    assert (figure.ours, figure.reference, figure.ratio) == (None, None, None)
    assert (figure.met, figure.equal) == (False, False)


def test_a_figure_has_the_keys_of_results_json() -> None:
    figure = measure(LIMIT, list, lambda: (0.01, 0.05), lambda seconds: seconds * 1e3, {"peer": "1"})
    assert figure.as_dict() == {
        "id": "Z", "ours": 10.0, "reference": 50.0, "unit": "ms", "ratio": 5.0, "goal": 30.0, "stretch": 20.0,
        "met": True, "equal": True, "versions": {"peer": "1"},
    }  # fmt: skip


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
def test_a_measurement_must_be_a_positive_number(wrong: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        make_figure(TIME, wrong, 1.0, {})
