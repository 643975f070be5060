"""Fee schedules of brokers, by name; a new one is one entry here."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class CostPreset:
    """What a broker charges, by the fields of `fees`."""

    commission_per_share: float = 0.0
    commission_pct_notional: float = 0.0
    taker_bps: float = 0.0
    maker_rebate_bps: float = 0.0
    regulatory_sell_fees: bool = False

    def values(self) -> dict[str, Any]:
        return asdict(self)


PRESETS: dict[str, CostPreset] = {
    # US shares sent online: no commission, and the regulators' fees on sales passed on; the Consolidated Audit Trail
    # fee on buys and sells, which Alpaca passes on too, is not charged, and the report says so (backtest.rules)
    "alpaca": CostPreset(regulatory_sell_fees=True),
    "schwab": CostPreset(regulatory_sell_fees=True),
}
