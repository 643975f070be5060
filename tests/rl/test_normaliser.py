"""The normaliser knows the training bars and nothing else."""

import numpy as np
import pytest

from rl.normaliser import Normaliser, NormaliserFault


def test_two_assets_on_paper() -> None:
    values = np.array([[[9.0], [9.0]], [[1.0], [3.0]], [[5.0], [np.nan]], [[9.0], [9.0]]])

    found = Normaliser.fit(values, 1, 2)

    assert found.mean[0] == pytest.approx(3.0)  # of 1, 3, 5
    assert found.std[0] == pytest.approx(np.sqrt(8 / 3))
    assert found.apply(np.array([[[3.0 + np.sqrt(8 / 3)]]]))[0, 0, 0] == pytest.approx(1.0)


def test_bars_outside_the_training_range_change_nothing() -> None:
    values = np.random.default_rng(0).normal(size=(50, 3, 4))
    other = values.copy()
    other[:10] += 100.0
    other[31:] *= 1e6

    first, second = Normaliser.fit(values, 10, 30), Normaliser.fit(other, 10, 30)

    assert np.array_equal(first.mean, second.mean) and np.array_equal(first.std, second.std)


def test_absent_is_nought_and_the_rest_is_clipped() -> None:
    scaled = Normaliser(np.array([1.0]), np.array([2.0])).apply(np.array([[[np.nan], [1e9], [-1e9], [2.0]]]))

    assert scaled.dtype == np.float32
    assert scaled.ravel().tolist() == [0.0, 10.0, -10.0, 0.5]


def test_a_constant_and_an_unknown_feature_are_not_blown_up() -> None:
    values = np.full((5, 1, 2), np.nan)
    values[:, 0, 0] = 7.0

    found = Normaliser.fit(values, 0, 4)

    assert found.std.tolist() == [1.0, 1.0] and found.mean.tolist() == [7.0, 0.0]


def test_switched_off_it_still_gives_finite_numbers() -> None:
    assert Normaliser.identity(1).apply(np.array([[[3.5], [np.nan], [50.0]]])).ravel().tolist() == [3.5, 0.0, 10.0]


@pytest.mark.parametrize(
    "content",
    [{}, {"mean": [0.0], "std": [1.0]}, {"mean": [0.0, 0.0], "std": [1.0, 0.0], "clip": 10.0},
     {"mean": [0.0, float("nan")], "std": [1.0, 1.0], "clip": 10.0}],
)  # fmt: skip
def test_a_damaged_one_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(NormaliserFault, match=r"obsnorm\.json must hold"):
        Normaliser.from_dict(content, 2)


def test_it_comes_back_from_its_file_to_the_last_bit() -> None:
    found = Normaliser.fit(np.random.default_rng(1).normal(size=(9, 2, 3)), 0, 8)

    again = Normaliser.from_dict(found.as_dict(), 3)

    assert np.array_equal(found.mean, again.mean) and np.array_equal(found.std, again.std) and found.clip == again.clip
