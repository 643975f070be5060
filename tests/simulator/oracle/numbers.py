"""Numbers of the oracle: Decimal, and comparisons that say when float64 could not tell (1.8, 1.9 "Claims")."""

from decimal import ROUND_FLOOR, Decimal, getcontext

import numpy as np

getcontext().prec = 40
ZERO, ONE, BPS = Decimal(0), Decimal(1), Decimal(10_000)
NEAR, EXACT = Decimal("1e-7"), Decimal("2e-10")
SLACK = Decimal("1e-9")
DUST_WEIGHT, DUST_SHARES = Decimal("1e-12"), Decimal("1e-9")


def dec(value: float) -> Decimal:
    """The decimal that a float is written as."""
    return Decimal(repr(float(value)))


def price(value: float) -> Decimal | None:
    """1.1: a price is there when it is finite and > 0."""
    return dec(value) if np.isfinite(value) and value > 0 else None


def sign(x: Decimal) -> int:
    return (x > 0) - (x < 0)


class Near:
    """Remembers every comparison that was nearer than 1e-7 relative: such a case proves nothing and is discarded."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def less(self, a: Decimal, b: Decimal, what: str) -> bool:
        if a != b and abs(a - b) <= NEAR * max(abs(a), abs(b)):
            self.calls.append(what)
        return a < b

    def breaks(self, value: Decimal, cap: Decimal, what: str) -> bool:
        """1.9 Fields: "breaks a cap" means by more than 1e-9."""
        if abs(value - cap - SLACK) < SLACK / 100:
            self.calls.append(what)
        return value - cap > SLACK

    def floor(self, quotient: Decimal, what: str) -> Decimal:
        """⌊quotient + 1e-9⌋ of a quotient >= 0."""
        self._whole(quotient, what)
        return (quotient + SLACK).to_integral_value(rounding=ROUND_FLOOR)

    def ceiling(self, quotient: Decimal, what: str) -> Decimal:
        """⌈quotient − 1e-9⌉ of a quotient >= 0."""
        self._whole(quotient, what)
        return -((SLACK - quotient).to_integral_value(rounding=ROUND_FLOOR))

    def lots(self, x: Decimal, lot: Decimal) -> Decimal:
        """1.2.7: to lots toward zero, sign·lot·⌊|x|/lot + 1e-9⌋; lot 0 is fractional."""
        return x if lot == 0 else sign(x) * lot * self.floor(abs(x) / lot, "lot")

    def _whole(self, quotient: Decimal, what: str) -> None:
        if EXACT < abs(quotient - quotient.to_integral_value()) < NEAR:
            self.calls.append(what)
