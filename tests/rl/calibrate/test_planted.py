"""`planted-v1` against its definition: moments, what the signal tells, what an oracle earns; and what a capture is."""

import numpy as np
import pytest

from marketdata.splits import Range, make_ranges
from rl.calibrate.attempt import Attempt
from rl.calibrate.oracle import DELTAS, Oracle
from rl.calibrate.planted import SETUPS, SIGMA, configuration, costs, planted
from simulator.market import prepare_market

N = 26_000


def test_the_signal_is_an_autoregression_of_variance_one() -> None:
    signal = planted(0).signal
    assert signal.shape == (N, 5) and np.array_equal(planted(0).features.values[:, :, 0], signal)
    assert np.corrcoef(signal[1:].ravel(), signal[:-1].ravel())[0, 1] == pytest.approx(0.9, abs=0.01)
    assert signal.var() == pytest.approx(1, abs=0.06)  # as that of 130,000/19 draws that do not hang together
    steps = signal[1:] - 0.9 * signal[:-1]
    assert steps.var() == pytest.approx(0.19, abs=0.003) and abs(steps.mean()) < 0.01
    assert np.array_equal(signal[0], np.random.Generator(np.random.PCG64(1000)).standard_normal((N, 5))[0])


@pytest.mark.parametrize("kappa", [0.5, 0.9, 0.0])
def test_it_tells_a_known_part_of_the_next_return_which_keeps_its_mean_and_deviation(kappa: float) -> None:
    world = planted(3, kappa=kappa)
    growth = np.diff(np.log(world.bars.close), axis=0)
    assert growth.std() == pytest.approx(SIGMA, rel=0.02)
    assert growth.mean() == pytest.approx(-(SIGMA**2) / 2, abs=4 * SIGMA / np.sqrt(growth.size / 19))
    assert np.corrcoef(world.signal[:-1].ravel(), growth.ravel())[0, 1] == pytest.approx(kappa, abs=0.01)
    rest = (growth + SIGMA**2 / 2 - SIGMA * kappa * world.signal[:-1]) / SIGMA
    assert rest.std() == pytest.approx(np.sqrt(1 - kappa**2), rel=0.01)
    assert abs(np.corrcoef(rest[1:].ravel(), rest[:-1].ravel())[0, 1]) < 0.01


def test_bars_and_features() -> None:
    world = planted(1, n_bars=500, n_assets=3, n_noise=4)
    bars, values = world.bars, world.features.values
    assert world.features.names == ("signal", "noise1", "noise2", "noise3", "noise4", "logret")
    assert np.allclose(np.log(bars.close[1:] / bars.close[:-1]), values[1:, :, -1]) and (values[0, :, -1] == 0).all()
    assert bars.open is not None and bars.high is not None and bars.low is not None
    assert np.array_equal(bars.open[1:], bars.close[:-1])
    reach = 0.25 * abs(bars.close / bars.open - 1)
    assert np.allclose(bars.high, np.maximum(bars.open, bars.close) * (1 + reach))
    assert np.allclose(bars.low, np.minimum(bars.open, bars.close) * (1 - reach))
    assert np.array_equal(planted(1, n_bars=500, n_assets=3).signal, world.signal)  # noise is drawn last


def test_the_ranges_are_cut_between_lookback_and_embargo() -> None:
    config = configuration(SETUPS["asset_shared"], train_bars=20_000, steps=1_000, seed=0)
    ranges = make_ranges(config.split, planted(0).bars.session, lookback=8, warmup=0)
    assert (ranges.train, ranges.validation, ranges.test) == (
        Range(8, 19_987), Range(20_000, 21_987), Range(22_000, 25_999),
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("k", range(5))
def test_an_oracle_earns_54_to_57_bps_a_bar_after_costs(k: int) -> None:
    world, config = planted(k), costs()
    oracle = Oracle.fitted(prepare_market(world.bars, config), config, world.signal, Range(8, 19_987))
    earned = oracle.growth(Range(22_000, 25_999))
    assert 53.5e-4 < earned < 57.5e-4
    # on paper: what the signal tells of what is held, less σ²/2, less 5 bps of what is traded
    wanted = np.zeros((3_999, 5))
    held = -1
    for t, row in enumerate(world.signal[22_000:25_999]):
        held = -1 if held >= 0 and row[held] < -oracle.delta else held
        best = int(row.argmax())
        if (held < 0 and row[best] > 0) or (held >= 0 and row[best] > row[held] + oracle.delta):
            held = best
        wanted[t, held] = float(held >= 0)
    known = np.diff(np.log(world.bars.close), axis=0)[22_000:25_999]
    traded = np.abs(np.diff(wanted, axis=0, prepend=0)).sum() / 3_999
    assert earned == pytest.approx((wanted * known).sum() / 3_999 - 5e-4 * traded, abs=2e-6)
    assert oracle.delta in DELTAS


def test_a_capture_is_the_share_of_what_the_oracle_earns_above_cash() -> None:
    attempt = Attempt(0.5, 1, "shown", 0.1, 0.05, "cash", (3e-4, 1e-4, -1e-4), 1e-4, 5e-4, 0.5)
    assert attempt.capture == pytest.approx((0.5, 0.0, -0.5)) and attempt.mean_growth == pytest.approx(1e-4)
    for oracle in (None, 1e-4, 0.0):
        nothing = Attempt(0.5, 1, "worse", 0.1, 0.05, "cash", (3e-4,), 1e-4, oracle, 0.5)
        assert nothing.capture is None and not nothing.shown
