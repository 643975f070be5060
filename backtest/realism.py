"""What a configuration leaves out of trading that would have cost something, in sentences for under the verdict."""

from simulator.config import SimulatorConfig
from simulator.config_groups import FeesConfig


def left_out(config: SimulatorConfig) -> list[str]:
    """A sentence for each cost or call that is switched off where it could have come due, in a fixed order."""
    margin, found = config.margin, []
    levered = margin.max_gross_leverage > 1
    if margin.maintenance_margin == 0 and (levered or margin.allow_short):
        held = [f"positions of up to {margin.max_gross_leverage:g} × equity"] if levered else []
        held += ["shorts"] if margin.allow_short else []
        found.append(f"No maintenance margin: {' and '.join(held)} are never called, as a broker would.")
    if min(margin.max_gross_leverage, margin.max_net_leverage) > 1 and margin.cash_borrow_apr == 0:
        found.append("Borrowed cash costs nothing.")
    if margin.allow_short:
        if config.fees.borrow_fee_apr == 0:
            found.append("Shorts pay no fee for the loan of their shares.")
        found.append("Borrow availability is not modelled: every short sale is assumed to find its shares.")
    if _free(config.fees):
        found.append("No fees are charged.")
    if config.exec.half_spread_bps == 0 and config.exec.spread_source == "fixed":
        found.append("No spread is charged: orders fill at the reference price.")
    return found


def _free(fees: FeesConfig) -> bool:
    """Whether a market order pays nothing. A preset is a schedule of its own, zero commission included."""
    charged = (fees.taker_bps, fees.commission_per_share, fees.commission_pct_notional)
    return fees.preset is None and not any(charged) and not fees.regulatory_sell_fees
