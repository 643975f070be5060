"""What the learner is paid: scale × Σ terms, float64, vectorised over N books; penalties enter as negative terms.

E, E' are equity before and after a bar, E₀ the start, r = E'/E − 1, b the benchmark's simple return of that bar.

| term          | formula                                                                                           |
|---------------|---------------------------------------------------------------------------------------------------|
| `log_nav`     | ln(max(E', 0.01·E) / E)                                                                           |
| `delta_nav`   | (E' − E) / E₀                                                                                     |
| `benchmark`   | −ln(1 + b), beside `log_nav`                                                                      |
| `diff_sharpe` | (B·ΔA − A·ΔB/2) / (B − A²)^1.5, ΔA = r − A, ΔB = r² − B, then A += η·ΔA, B += η·ΔB, η = 1/P;      |
|               | 0 for the first 20 bars and where B − A² < 1e-12 (Moody and Saffell, 2001)                        |
| `drawdown`    | −w_drawdown · max(0, rise of the drawdown's depth)                                                |
| `turnover`    | −w_turnover · traded notional / E                                                                 |
| `vol`         | −w_vol · r²                                                                                       |
| `leverage`    | −w_leverage · max(0, gross − 1)                                                                   |
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl.config import RewardConfig

Floats = NDArray[np.float64]

FLOOR = 0.01
SHARPE_WARMUP = 20
SHARPE_MIN_VARIANCE = 1e-12


@dataclass(frozen=True)
class BarOutcome:
    """What one bar did to N books; every array is (N,), money in the account's currency.

    `drawdown` values are equity/peak − 1 (never positive), `gross` is Σ|q|m/E after the bar, `traded` is notional,
    `benchmark` the simple return of the benchmark over the bar.
    """

    equity: Floats
    prev_equity: Floats
    drawdown: Floats
    prev_drawdown: Floats
    gross: Floats
    traded: Floats
    benchmark: Floats


class DiffSharpe:
    """Running estimates A of the return and B of its square, (N,), and the differential Sharpe ratio they give."""

    def __init__(self, n: int, periods_per_year: float) -> None:
        self._eta = 1.0 / periods_per_year
        self.state = np.zeros((n, 2))
        self._age = np.zeros(n, dtype=np.int64)

    def reset(self, rows: NDArray[np.int64]) -> None:
        self.state[rows] = 0.0
        self._age[rows] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The live arrays that the next step depends on."""
        return {"sharpe.state": self.state, "sharpe.age": self._age}

    def step(self, returns: Floats) -> Floats:
        """The ratio's change by simple `returns` (N,); 0 until it is defined."""
        a, b = self.state[:, 0], self.state[:, 1]
        delta_a, delta_b = returns - a, returns * returns - b
        variance = b - a * a
        ready = (self._age >= SHARPE_WARMUP) & (variance >= SHARPE_MIN_VARIANCE)
        value = np.where(ready, (b * delta_a - 0.5 * a * delta_b) / np.where(ready, variance, 1.0) ** 1.5, 0.0)
        self.state = np.stack((a + self._eta * delta_a, b + self._eta * delta_b), axis=1)
        self._age += 1
        return value


class Rewards:
    """The reward of N books, with the running state that the differential Sharpe ratio needs."""

    def __init__(self, config: RewardConfig, n: int, *, start_cash: float, periods_per_year: float) -> None:
        self._config, self._start_cash = config, start_cash
        self.sharpe = DiffSharpe(n, periods_per_year)

    def reset(self, rows: NDArray[np.int64]) -> None:
        self.sharpe.reset(rows)

    def step(self, bar: BarOutcome) -> tuple[Floats, dict[str, Floats]]:
        """Reward (N,) and its terms, already scaled, so that they sum to it."""
        terms = {**self._main(bar), **self._penalties(bar)}
        scaled = {name: self._config.scale * value for name, value in terms.items()}
        return np.sum(list(scaled.values()), axis=0), scaled

    def _main(self, bar: BarOutcome) -> dict[str, Floats]:
        mode = self._config.mode
        if mode == "delta_nav":
            return {"delta_nav": (bar.equity - bar.prev_equity) / self._start_cash}
        if mode == "diff_sharpe":
            return {"diff_sharpe": self.sharpe.step(bar.equity / bar.prev_equity - 1.0)}
        terms = {"log_nav": log_growth(bar.equity, bar.prev_equity)}
        if mode == "benchmark":
            terms["benchmark"] = -np.log1p(bar.benchmark)
        return terms

    def _penalties(self, bar: BarOutcome) -> dict[str, Floats]:
        config = self._config
        terms: dict[str, Floats] = {}
        if config.w_drawdown:
            terms["drawdown"] = -config.w_drawdown * np.maximum(0.0, bar.prev_drawdown - bar.drawdown)
        if config.w_turnover:
            terms["turnover"] = -config.w_turnover * bar.traded / bar.prev_equity
        if config.w_vol:
            terms["vol"] = -config.w_vol * (bar.equity / bar.prev_equity - 1.0) ** 2
        if config.w_leverage:
            terms["leverage"] = -config.w_leverage * np.maximum(0.0, bar.gross - 1.0)
        return terms


def log_growth(equity: Floats, previous: Floats) -> Floats:
    """ln(max(E', 0.01·E) / E): finite even for a ruined book."""
    return np.log(np.maximum(equity, FLOOR * previous) / previous)


def benchmark_returns(mark: Floats, first: int, column: int | None) -> Floats:
    """Simple return of the benchmark over each bar t−1→t, (n_bars,); 0 where it is not known.

    `column` is the benchmark's column in `mark` (n_bars, n_assets); without one, equal weights bought at bar `first`
    and held stand for it.
    """
    if column is not None:
        value = mark[:, column]
    else:
        bought = np.isfinite(mark[first])
        value = (mark[:, bought] / mark[first, bought]).mean(axis=1) if bought.any() else np.ones(len(mark))
    returns = np.zeros(len(mark))
    returns[1:] = value[1:] / value[:-1] - 1.0
    return np.where(np.isfinite(returns), returns, 0.0)
