"""Beliefs about the regime: filtered, not smoothed; fitted on the training bars alone; the same bits again."""

import dataclasses
import json
import math

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM

from marketdata import regime_fit
from marketdata.bars import Bars
from marketdata.regime import BLOCK, WARMUP, RegimeFault, RegimeModel, forward, market_inputs
from marketdata.regime_fit import fit_regime
from marketdata.splits import Range
from tests.marketdata.build import bars_of, random_bars

N = 900
BARS = random_bars(N, assets=3)
TRAIN = Range(40, 600)


def fitted(bars: Bars = BARS, seed: int = 3, n_states: int = 2, train: Range = TRAIN) -> RegimeModel:
    return fit_regime(bars, train, n_states=n_states, inputs=("return", "volatility"), seed=seed)


@pytest.fixture(scope="module")
def model() -> RegimeModel:
    return fitted()


def peer(model: RegimeModel) -> GaussianHMM:
    """hmmlearn with the same parameters."""
    other = GaussianHMM(model.n_states, covariance_type="full")
    other.startprob_, other.transmat_ = model.start, model.transition
    other.means_, other.covars_ = model.means, model.covariances
    return other


def standardised(model: RegimeModel, bars: Bars = BARS) -> np.ndarray:
    return (market_inputs(bars, model.inputs)[WARMUP:] - model.centre) / model.scale


def after(t: int) -> Bars:
    """BARS up to t, and wilder ones after it."""
    later, other = np.arange(N)[:, None] > t, random_bars(N, assets=3, seed=99)
    return dataclasses.replace(BARS, close=np.where(later, other.close**2, BARS.close))


def brute_force(model: RegimeModel, rows: np.ndarray) -> np.ndarray:
    """The recursion in logs, one bar and one pair of states at a time, densities from their formula."""
    out = []
    for t, row in enumerate(rows):
        now = []
        for k in range(model.n_states):
            apart = row - model.means[k]
            density = -0.5 * (apart @ np.linalg.inv(model.covariances[k]) @ apart
                              + math.log(np.linalg.det(2 * math.pi * model.covariances[k])))  # fmt: skip
            moved = [model.start[k]] if t == 0 else [out[-1][j] * model.transition[j, k] for j in range(model.n_states)]
            now.append(math.log(math.fsum(moved)) + density)
        top = [math.exp(each - max(now)) for each in now]
        out.append([each / math.fsum(top) for each in top])
    return np.array(out)


def test_beliefs_are_those_of_a_brute_force_recursion(model: RegimeModel) -> None:
    beliefs = model.beliefs(BARS)
    np.testing.assert_array_equal(beliefs[:WARMUP], np.tile(model.start, (WARMUP, 1)))
    np.testing.assert_allclose(beliefs[WARMUP:], brute_force(model, standardised(model)), rtol=0, atol=1e-10)
    np.testing.assert_allclose(beliefs[WARMUP:].sum(axis=1), 1.0, rtol=0, atol=1e-12)


def test_the_last_belief_is_the_smoothed_one_and_the_others_are_not(model: RegimeModel) -> None:
    smoothed, filtered = peer(model).predict_proba(standardised(model)), model.beliefs(BARS)[WARMUP:]
    np.testing.assert_allclose(filtered[-1], smoothed[-1], atol=1e-9)
    assert np.abs(filtered[:-1] - smoothed[:-1]).max() > 0.05


@pytest.mark.parametrize("t", [WARMUP, 300, WARMUP + BLOCK, WARMUP + 2 * BLOCK + 1, N - 2])
def test_a_belief_knows_no_later_bar(model: RegimeModel, t: int) -> None:
    beliefs = model.beliefs(BARS)
    cut = BARS.between(BARS.session[0].item(), BARS.session[t].item())
    for bars in (after(t), cut):
        np.testing.assert_array_equal(model.beliefs(bars)[: t + 1], beliefs[: t + 1])
    assert not np.array_equal(model.beliefs(after(t))[t + 1 :], beliefs[t + 1 :])


def test_the_same_test_finds_the_smoothed_ones(model: RegimeModel) -> None:
    one, other = (peer(model).predict_proba(standardised(model, bars)) for bars in (BARS, after(500)))
    assert not np.allclose(one[: 501 - WARMUP], other[: 501 - WARMUP])


def test_the_fit_knows_the_training_bars_alone(model: RegimeModel) -> None:
    assert json.dumps(fitted(after(TRAIN.t1)).as_dict()) == json.dumps(model.as_dict())
    assert json.dumps(fitted(after(TRAIN.t1 - 1)).as_dict()) != json.dumps(model.as_dict())


def test_the_same_seed_gives_the_same_bytes(model: RegimeModel) -> None:
    assert json.dumps(fitted().as_dict()) == json.dumps(model.as_dict())


def test_states_are_ordered_by_volatility_whatever_the_seed() -> None:
    """The bars alternate between quiet and wild stretches of 60: the second state is the wild one."""
    for seed in (1, 2):
        model = fitted(seed=seed)
        assert (np.diff(model.means[:, 1]) > 0).all()
        wild = np.arange(N) // 60 % 2 == 1
        settled = (np.arange(N) % 60 > 25) & (np.arange(N) > 120)
        assert (
            model.beliefs(BARS)[wild & settled, 1].mean() > 0.9 > 0.1 > model.beliefs(BARS)[~wild & settled, 1].mean()
        )


def test_it_finds_the_parameters_that_made_the_data() -> None:
    """Two states whose returns have deviations 0.005 and 0.03, each left once in fifty bars."""
    chance, state, states = np.random.default_rng(5), 0, []
    for _ in range(3000):
        state = 1 - state if chance.random() < 0.02 else state
        states.append(state)
    returns = chance.normal(0, 1, 3000) * np.array([0.005, 0.03])[states]
    bars = bars_of(np.exp(np.cumsum(returns)))
    model = fit_regime(bars, Range(20, 2999), n_states=2, inputs=("return",), seed=0)
    found = np.sqrt(model.covariances[:, 0, 0]) * model.scale[0]
    np.testing.assert_allclose(found, [0.005, 0.03], rtol=0.07)
    np.testing.assert_allclose(np.diag(model.transition), 0.98, atol=0.012)
    right = model.beliefs(bars)[50:].argmax(axis=1) == np.array(states)[50:]
    assert right.mean() > 0.93


def test_inputs_by_hand() -> None:
    """At one bar: two symbols, one of which starts late; and of members only."""
    returns = np.diff(np.log(BARS.close), axis=0, prepend=np.nan)
    got = market_inputs(BARS, ("return", "volatility", "dispersion"))
    mean = returns.mean(axis=1)
    assert np.isnan(got[:WARMUP]).all()
    assert got[500] == pytest.approx(
        [mean[500], math.log(math.sqrt(np.mean(mean[481:501] ** 2))), math.log(np.std(returns[500]))], rel=1e-9
    )
    member = np.ones(BARS.close.shape, bool)
    member[:, 2] = False
    assert market_inputs(dataclasses.replace(BARS, member=member), ("return",))[500, 0] == pytest.approx(
        returns[500, :2].mean(), rel=1e-9
    )


def test_a_bar_without_inputs_tells_nothing(model: RegimeModel) -> None:
    inputs = market_inputs(BARS, model.inputs)
    inputs[400] = np.nan
    beliefs = model.filtered(inputs)
    np.testing.assert_allclose(beliefs[400], beliefs[399] @ model.transition, atol=1e-12)


def test_nothing_underflows_on_a_long_series_of_unlikely_bars(model: RegimeModel) -> None:
    beliefs = model.filtered(np.tile([0.5, 3.0], (5 * BLOCK + 7, 1)))
    assert np.isfinite(beliefs).all()
    assert np.isfinite(forward(model.start, np.eye(2), np.full((3 * BLOCK, 2), 1e-300))).all()


def test_it_comes_back_from_json_to_the_last_bit(model: RegimeModel) -> None:
    again = RegimeModel.from_dict(json.loads(json.dumps(model.as_dict())))
    np.testing.assert_array_equal(again.beliefs(BARS), model.beliefs(BARS))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"start": None}, "a wrong shape of start"),
        ({"start": "half"}, "must hold inputs, seed, start"),
        ({"means": [[0.0, 0.0]]}, "a wrong shape of means"),
        ({"inputs": ["return", "moon"]}, "a wrong shape of inputs"),
        ({"start": [0.9, 0.9]}, "probabilities that sum to 1"),
        ({"scale": [0.0, 1.0]}, "positive deviations"),
        ({"centre": [float("nan"), 1.0]}, "probabilities"),
    ],
)
def test_what_is_no_model_is_refused(model: RegimeModel, change: dict[str, object], words: str) -> None:
    with pytest.raises(RegimeFault, match=words):
        RegimeModel.from_dict(model.as_dict() | change)


def test_too_few_bars_a_still_market_and_no_convergence_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RegimeFault, match=r"2 states need 120 training bars .*; there are 101"):
        fitted(train=Range(40, 140))
    with pytest.raises(RegimeFault, match="the input return never changes"):
        fitted(dataclasses.replace(BARS, close=np.full_like(BARS.close, 5.0)))
    regime_fit._best.cache_clear()
    monkeypatch.setattr(regime_fit, "MOST_STEPS", 1)
    with pytest.raises(RegimeFault, match="did not converge in 1 steps from any of 4 starts"):
        fitted()
