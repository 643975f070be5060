"""How much of a difference is luck: Sharpe's error, the deflated Sharpe, and the excess over every baseline at once.

All inputs are returns of a bar, shapes (n,) or (n, B) for B baselines; everything is per bar until a field says a year.
"""

import functools
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from backtest.bootstrap import bootstrap
from backtest.few_seeds import could_find
from backtest.quantiles import quantiles
from backtest.seeds_luck import error_of_seeds, limits, share_below_zero
from backtest.series import ZERO_VARIANCE, Floats, probabilistic_sharpe, sharpe_error

EULER = 0.57722
FLOOR = -0.9999
POWER = 2.8  # 1.96 + 0.84: shown in four of five draws at the 5 % level
ALPHA = 0.025
MOST_GROWTH = 30.0
"""A logarithm a year beyond which nothing but its size is known: two seeds far apart can have a limit that no float
holds.
"""


def optional(value: float) -> float | None:
    """NaN and infinity are `None` outside the compiled code."""
    return float(value) if math.isfinite(value) else None


def grown(log_excess: float) -> float:
    """e^x - 1: a fraction a year from its logarithm."""
    return math.expm1(min(log_excess, MOST_GROWTH))


def luck_threshold(trials: int, n: int, variance: float | None = None) -> float:
    """SR_0 a bar: the best Sharpe that `trials` worthless strategies would show on n bars (Bailey and Lopez de Prado).

    sqrt(v) ((1-g) Phi^-1(1 - 1/k) + g Phi^-1(1 - 1/(k e))), v = max(`variance` of the trials' Sharpes of a bar, 1/n),
    1/n where that is not known; 0 for one trial.
    """
    if trials < 2:
        return 0.0
    quantile = NormalDist().inv_cdf
    expected = (1 - EULER) * quantile(1 - 1 / trials) + EULER * quantile(1 - 1 / (trials * math.e))
    return math.sqrt(max(variance or 0.0, 1 / n)) * expected


def deflated_sharpe(x: Floats, trials: int, variance: float | None = None) -> float | None:
    """DSR of x (n,) = PSR(SR_0) with the dependence-robust variance V; None without variance."""
    n = x.shape[0]
    ratio, _, robust = sharpe_error(np.ascontiguousarray(x))
    return optional(probabilistic_sharpe(ratio, luck_threshold(trials, n, variance), robust, n))


def log_excess(returns: Floats, baselines: Floats) -> Floats:
    """(n, B): ln(1+r) - ln(1+r_b), returns floored at -0.9999. `baselines` (n, B); `returns` (n,), or (S, n) of S
    seeds, whose mean is taken.
    """
    growth: Floats = np.log1p(np.maximum(np.atleast_2d(returns), FLOOR)).mean(axis=0)
    excess: Floats = growth[:, None] - np.log1p(np.maximum(baselines, FLOOR))
    return excess


def equal_risk_excess(x: Floats, x_b: Floats) -> Floats:
    """(B,) mean(x) - (s/s_b) mean(x_b) of x = r - rf (n,) and x_b (n, B); mean(x) where a baseline has no risk.

    The baseline is scaled to the subject's deviation, so that leverage cannot pass for skill.
    """
    s, s_b = x.std(ddof=1), x_b.std(axis=0, ddof=1)
    risky = s_b**2 >= ZERO_VARIANCE
    scale = np.divide(s, s_b, out=np.zeros_like(s_b), where=risky)
    excess: Floats = x.mean() - scale * x_b.mean(axis=0)
    return excess


@dataclass(frozen=True)
class Excess:
    """The subject against each of B baselines; limits are of the percentile bootstrap.

    Theta, its limits and `error` are logarithms a year; those at equal risk are arithmetic means of returns a year.
    theta, low, high: (B,) excess and its 95 % interval; p: (B,) share of paths at or below 0.
    equal_risk and its interval: the same at the baseline's risk scaled to the subject's.
    upper: (B,) the 1 - 0.025/B limits, whose least bounds the excess over the best.
    bars_error, bars_low: (B,) standard error and lower limit of the bars' luck alone, the seeds taken as they are.
    by_seed: (S, B) each seed's own excess; seed_error: s/sqrt(S), 0 with one seed.
    years: length of the range.
    """

    theta: Floats
    low: Floats
    high: Floats
    upper: Floats
    p: Floats
    bars_error: Floats
    bars_low: Floats
    equal_risk: Floats
    equal_risk_low: Floats
    equal_risk_high: Floats
    dsr: tuple[float | None, ...]
    mean_block: float
    unclipped_block: float
    by_seed: Floats
    seed_error: float
    years: float

    @property
    def best(self) -> int:
        """The baseline that is hardest to beat."""
        return int(np.argmin(self.theta))

    @property
    def least_low(self) -> float:
        """Lower limit of the excess over the best: an intersection-union test needs no correction."""
        return float(self.low.min())

    @property
    def least_upper(self) -> float:
        return float(self.upper.min())

    @property
    def greatest_p(self) -> float:
        """p of the intersection-union test that every baseline is beaten."""
        return float(self.p.max())

    @property
    def error(self) -> Floats:
        """(B,) standard errors, of the bars' luck and of the seeds'."""
        both: Floats = np.hypot(self.bars_error, self.seed_error)
        return both

    @functools.cached_property
    def power(self) -> float:
        """The least excess over the best baseline that this test could have shown."""
        return self.could_show(self.best)

    def could_show(self, baseline: int) -> float:
        """The least excess over this baseline whose lower limit lies above zero in four of five cases."""
        if self.seeds == 1:
            return POWER * float(self.bars_error[baseline])
        return could_find(float(self.bars_error[baseline]), self.seed_error, self.seeds - 1, ALPHA)

    @property
    def least_dsr(self) -> float | None:
        known = [value for value in self.dsr if value is not None]
        return min(known) if len(known) == len(self.dsr) and known else None

    @property
    def seeds(self) -> int:
        return len(self.by_seed)

    @property
    def seed_points(self) -> Floats:
        """(S,) each seed's own excess over the best baseline; their mean is the subject's."""
        points: Floats = self.by_seed[:, self.best]
        return points


def compare(
    returns: Floats, baselines: Floats, rf: Floats, *, periods: float, paths: int, seed: int, trials: int,
    variance: float | None = None,
) -> Excess:  # fmt: skip
    """Excess of `returns` over each column of `baselines` (n, B), both above `rf` (n,); n >= 2, B >= 1.

    `returns` (n,) of one subject, or (S, n) of the same subject trained with S seeds: theta is then the mean over the
    seeds of the log excess of a bar, and the limits hold the seeds' luck too. `variance` of the trials' Sharpes of a
    bar.
    """
    each = np.atleast_2d(returns)
    growth = np.log1p(np.maximum(each, FLOOR))
    excess = growth.mean(axis=0)[:, None] - np.log1p(np.maximum(baselines, FLOOR))
    x, x_b = each - rf, baselines - rf[:, None]
    drawn = bootstrap(excess, np.concatenate((x.T, x_b), axis=1), paths, seed)
    by_seed = excess.mean(axis=0) + (growth.mean(axis=1) - growth.mean())[:, None]
    levels = np.array([equal_risk_excess(one, x_b) for one in x])
    theta, at_risk = drawn.theta * periods, drawn.equal_risk * periods
    of_theta, of_risk = error_of_seeds(by_seed * periods), error_of_seeds(levels * periods)
    freedom, asked = len(each) - 1, [ALPHA, 1 - ALPHA, 1 - ALPHA / excess.shape[1]]
    low, high, upper = limits(theta, of_theta, freedom, asked)
    risk_low, risk_high = limits(at_risk, of_risk, freedom, asked[:2])
    return Excess(
        theta=excess.mean(axis=0) * periods,
        low=low,
        high=high,
        upper=upper,
        p=share_below_zero(theta, of_theta, freedom),
        bars_error=theta.std(axis=0, ddof=1),
        bars_low=low if len(each) == 1 else quantiles(theta, [ALPHA])[0],
        equal_risk=levels.mean(axis=0) * periods,
        equal_risk_low=risk_low,
        equal_risk_high=risk_high,
        dsr=tuple(deflated_sharpe(excess[:, b], trials, variance) for b in range(excess.shape[1])),
        mean_block=drawn.mean_block,
        unclipped_block=drawn.unclipped_block,
        by_seed=by_seed * periods,
        seed_error=float(of_theta[0]),
        years=len(excess) / periods,
    )
