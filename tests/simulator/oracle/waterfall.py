"""1.2 Waterfall: in weight at decision prices, fill·m/E is the sum of what each layer did."""

from decimal import Decimal

from tests.simulator.oracle.book import Order
from tests.simulator.oracle.layers import Targets
from tests.simulator.oracle.numbers import ZERO, sign

EFFECTS = ("mapping", "sizing", "step", "hold", "caps", "band", "lot", "participation", "funding")


def effects(targets: Targets, a: int, order: Order | None, unit: Decimal) -> dict[str, Decimal]:
    """Effects of one decision on one asset once its order has ended; `unit` = m/E at the decision.

    Orders under way and the notional floor count as lot; an order that is dropped, untradable or not touched as
    participation; shares are divided back by splits; the fills of an order are added (1.9).
    """
    found, at = {}, targets.now[a]
    for name, weights in targets.after.items():
        found[name], at = weights[a] - at, weights[a]
    found = {name: found[name] for name in EFFECTS[:5]}
    quiet = targets.silent.get(a) == "band"
    found["band"] = targets.now[a] - at if quiet else ZERO
    if quiet or a not in targets.free:
        at = targets.now[a]
    asked = ZERO if order is None else order.asked / order.ratio * unit
    filled = ZERO if order is None else order.filled / order.ratio * unit
    found["lot"] = targets.now[a] + asked - at
    found["funding"] = ZERO
    if order is not None and order.reason == "funding":
        found["funding"] = -sign(order.asked) * order.funding_cut / order.ratio * unit
    found["participation"] = filled - asked - found["funding"]
    return {name: found[name] for name in EFFECTS}
