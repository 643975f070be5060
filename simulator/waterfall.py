"""The decision waterfall: what every layer did to a decision, in weight at the prices it was made at.

fill·m/E is the sum of the effects of mapping (from the weight held), sizing, step, hold, caps, band, lot, participation
and funding. Each effect is the difference of two neighbouring levels, so they telescope.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from simulator.extra_state import Trail

Floats = NDArray[np.float64]

EFFECTS = ("mapping", "sizing", "step", "hold", "caps", "band", "lot", "participation", "funding")
MAX_CELLS = 4_000_000
"""Bars times assets of which a waterfall is kept: its arrays then take half a gigabyte."""


@dataclass(frozen=True)
class Waterfall:
    """Decisions of one book: `bars` (R,) at whose close they were made; arrays (R, A), weights in equity.

    `held` is the weight before; `action` the raw action or target that was given; `effects` (9, R, A) in the order of
    EFFECTS; `filled` what traded in the end, in the shares of the decision: fill·m/E.
    """

    bars: NDArray[np.int64]
    action: Floats
    held: Floats
    effects: Floats
    filled: Floats

    @classmethod
    def of(cls, trail: Trail) -> Self:
        """From the trail that the step kept; bars without a decision are left out."""
        made = np.isfinite(trail.action).all(axis=1)
        level = trail.level[made].transpose(1, 0, 2)  # (7, R, A)
        unit, held = trail.unit[made], level[0]
        ends = [held + shares[made] * unit for shares in (trail.order, trail.placed, trail.filled)]
        levels = np.concatenate([level, np.stack(ends)])
        return cls(
            np.flatnonzero(made) + int(trail.first[0]), trail.action[made], held, np.diff(levels, axis=0),
            trail.filled[made] * unit,
        )  # fmt: skip
