"""What every strategy of the tests that decides bar by bar has in common: nothing to prepare, no table of targets."""

from typing import Any

from simulator.config import SimulatorConfig
from simulator.market import Market


class Stepping:
    """The rest is `key`, `layers` where it speaks raw actions, and `decide`."""

    layers = "mandate"

    def __init__(self, config: Any) -> None:
        """Nothing is configured."""

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """Nothing is looked at beforehand."""

    def decisions(self, market: Market, t0: int, t1: int) -> Any:
        return None
