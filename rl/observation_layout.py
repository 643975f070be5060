"""What fixes the meaning of a policy's observation and action; it travels in the policy file.

A policy that is shown another layout is refused with the differences by name.
"""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from gymnasium import spaces

from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault
from simulator.config import SimulatorConfig
from simulator.market import Market

LIMIT = 10.0
PER_ASSET = frozenset({"weights", "previous_target", "held_bars", "under_way", "has_bar"})
WIDTHS = {"cash": 1, "gross": 1, "drawdown": 1, "halted": 1, "sharpe_state": 2}


class ObservationMismatch(ConfigFault):
    """A policy is shown something else than it was trained on; the sentence, at `policy`, names each difference."""

    def __init__(self, sentence: str) -> None:
        super().__init__({"policy": [sentence]})


@dataclass(frozen=True)
class ObservationLayout:
    """Everything that fixes the meaning of an observation and of an action; kept in the policy file."""

    symbols: tuple[str, ...]
    feature_set: tuple[str, ...]
    indicators: tuple[str, ...]
    features: tuple[str, ...]
    lookback: int
    portfolio: tuple[str, ...]
    mapping_mode: str
    logit_scale: float
    allow_short: bool
    interval: str
    adjustment: str
    regime: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the last axis of `window`: the features, then the beliefs about the regime."""
        return self.features + self.regime

    @property
    def n_assets(self) -> int:
        return len(self.symbols)

    @property
    def parts(self) -> tuple[tuple[int, bool], ...]:
        """Of each part of `portfolio` its width, and whether it holds one number an asset."""
        return tuple((self.n_assets, True) if part in PER_ASSET else (WIDTHS[part], False) for part in self.portfolio)

    @property
    def portfolio_size(self) -> int:
        return sum(width for width, _ in self.parts)

    def space(self) -> spaces.Dict:
        window = (self.lookback, self.n_assets, len(self.channels))
        return spaces.Dict(
            {
                "window": spaces.Box(-LIMIT, LIMIT, window, np.float32),
                "portfolio": spaces.Box(-LIMIT, LIMIT, (self.portfolio_size,), np.float32),
            }
        )

    def action_space(self) -> spaces.Box | spaces.MultiDiscrete:
        """What docs/simulator.md, Mapping, expects of each mapping."""
        if self.mapping_mode == "discrete":
            return spaces.MultiDiscrete([3 if self.allow_short else 2] * self.n_assets)
        return spaces.Box(-1.0, 1.0, (self.n_assets + (self.mapping_mode == "simplex_cash"),), np.float32)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; without regimes nothing is said of them."""
        parts = asdict(self) if self.regime else {key: part for key, part in asdict(self).items() if key != "regime"}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in parts.items()}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Self:
        """Raises ObservationMismatch where a part is missing or unknown."""
        try:
            parts: dict[str, Any] = {
                key: tuple(part) if isinstance(part, list) else part for key, part in value.items()
            }
            return cls(**parts)
        except TypeError as error:
            raise ObservationMismatch(f"observation.json does not fit this version: {error}") from error


def portfolio_parts(config: SimulatorConfig, *, ragged: bool, diff_sharpe: bool) -> tuple[str, ...]:
    """The parts of `portfolio` that a configuration makes part of the state, in their order."""
    execution, guards = config.exec, config.guards
    orders_live = execution.latency_bars > 0 or execution.remainder == "carry" or execution.order_type == "limit"
    optional = (
        ("previous_target", config.episode.max_step_change is not None),
        ("held_bars", config.episode.min_hold_bars > 0),
        ("under_way", orders_live),
        ("halted", guards.daily_loss_limit is not None or guards.max_drawdown is not None),
        ("has_bar", ragged),
        ("sharpe_state", diff_sharpe),
    )
    return ("cash", "gross", "drawdown", "weights", *(part for part, wanted in optional if wanted))


def require_same(trained: ObservationLayout, offered: ObservationLayout, *, any_symbols: bool = False) -> None:
    """Raises ObservationMismatch with one clause for each part that differs; `any_symbols` may."""
    free = {"symbols"} if any_symbols else set()
    faults = [_difference(key, value, getattr(offered, key)) for key, value in vars(trained).items()
              if key not in free and value != getattr(offered, key)]  # fmt: skip
    if faults:
        raise ObservationMismatch("This policy was trained on other observations: " + "; ".join(faults) + ".")


def _difference(key: str, trained: Any, offered: Any) -> str:
    if not isinstance(trained, tuple):
        return f"{key} is {offered} here, {trained} in training"
    missing = [item for item in trained if item not in offered]
    added = [item for item in offered if item not in trained]
    parts = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"adds {', '.join(added)}"] * bool(added)
    return f"{key} {' and '.join(parts) or 'stand in another order'}"


def layout_for(market: Market, config: SimulatorConfig, features: FeaturesConfig, names: tuple[str, ...], *,
               ragged: bool, diff_sharpe: bool, regime: tuple[str, ...] = ()) -> ObservationLayout:  # fmt: skip
    """The layout of `features` (their resolved `names`) and beliefs `regime` on a market under `config`."""
    return ObservationLayout(
        symbols=market.symbols,
        feature_set=features.feature_set,
        indicators=features.indicators,
        features=names,
        lookback=features.lookback,
        portfolio=portfolio_parts(config, ragged=ragged, diff_sharpe=diff_sharpe),
        mapping_mode=config.episode.mapping_mode,
        logit_scale=config.episode.logit_scale,
        allow_short=config.margin.allow_short,
        interval=market.bars.interval,
        adjustment=market.bars.adjustment,
        regime=regime,
    )
