"""1.2.1 Mapping: from a raw action to weights; the sums run over M for every mapping (1.9 Fields)."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from tests.simulator.oracle.numbers import ONE, ZERO, dec

Mapping = Callable[[list[int]], list[Decimal]]


def mapping(
    mode: str, action: Sequence[float], n: int, *, invest_max: float, gross: float, logit_scale: float,
    allow_short: bool, member: Sequence[bool] | None = None,
) -> Mapping:  # fmt: skip
    """The weights of `n` assets as a function of M. Who is no member of the universe is not offered: 0."""

    def weights(free: list[int]) -> list[Decimal]:
        offered = [a for a in free if member is None or member[a]]
        if mode == "simplex_cash":
            return simplex(clipped(action), n, offered, dec(invest_max), dec(logit_scale))
        if mode == "tanh_leverage":
            return leverage(clipped(action), n, offered, dec(gross))
        shift = 1 if allow_short else 0
        return [(dec(action[a]) - shift) * dec(invest_max) / n if a in offered else ZERO for a in range(n)]

    return weights


def clipped(action: Sequence[float]) -> list[Decimal]:
    return [max(-ONE, min(ONE, dec(value))) for value in action]


def simplex(action: list[Decimal], n: int, offered: list[int], invest_max: Decimal, scale: Decimal) -> list[Decimal]:
    """invest_max·σ(c·a₀)·softmax over M of (c·a₁..c·a_A)."""
    powers = {a: (scale * action[a + 1]).exp() for a in offered}
    total = sum(powers.values(), ZERO)
    invested = invest_max / (1 + (-scale * action[0]).exp())
    return [invested * powers[a] / total if a in powers else ZERO for a in range(n)]


def leverage(action: list[Decimal], n: int, offered: list[int], gross: Decimal) -> list[Decimal]:
    """u = tanh(3a), w = max_gross_leverage·u / max(1, Σ|u|)."""
    u = {a: tanh(3 * action[a]) for a in offered}
    total = max(ONE, sum(map(abs, u.values()), ZERO))
    return [gross * u[a] / total if a in u else ZERO for a in range(n)]


def tanh(x: Decimal) -> Decimal:
    e = (2 * x).exp()
    return (e - 1) / (e + 1)
