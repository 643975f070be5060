"""What a strategy can show the leak gate of its inside, so that a failure names the culprit and not only the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Days

if TYPE_CHECKING:
    from marketdata.features import FeaturePlan

Numbers = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Table:
    """Numbers aligned with the bars: (T, A, F) by asset, or (T, F); `names` (F,) of the last axis.

    `known_at` (T,): when each row was known. `since`: the first bar after whose close altered bars may change nothing;
    above 0 where a statistic of the training range, which ends there, is inside.
    """

    values: Numbers
    names: tuple[str, ...]
    known_at: Days
    since: int = 0


@dataclass(frozen=True, eq=False)
class Statistic:
    """Numbers fitted on training bars (n,), by `labels`: as they are `used`, and as they come out when `refitted`.

    `refitted`: on the training bars of this market alone; None where these bars are not in it, and `why` says so.

    `frozen`: it lies in a file, so that no bars of now can change what is used.

    `apart`: where the fit goes through linear algebra, whose rounding is another on another machine: the most that what
    is seen by the two fits differs on a training bar, in the unit of what is seen. None: equal means to the bit.
    """

    name: str
    labels: tuple[str, ...]
    used: NDArray[np.float64]
    refitted: NDArray[np.float64] | None
    why: str = ""
    frozen: bool = False
    apart: float | None = None


@runtime_checkable
class Probed(Protocol):
    """A strategy that shows its inside. Everything is of the market that it was last prepared for."""

    def tables(self) -> Mapping[str, Table]:
        """Each table of inputs by name, such as `features` and `regime`."""

    def statistics(self) -> tuple[Statistic, ...]:
        """Everything that was fitted on bars: normaliser, regime model."""

    def observed(self) -> Mapping[str, Numbers]:
        """The parts of the observation behind the last decision, without a leading axis."""


@runtime_checkable
class Featured(Protocol):
    """A strategy that sees the world through features, each a function of columns, so that many cuts cost little."""

    def feature_plan(self) -> FeaturePlan:
        """What `marketdata.features.build_features` makes for it."""


@dataclass(frozen=True)
class Recipe:
    """How a fresh process makes a strategy again: `path` its class, `model` that of its configuration, both dotted.

    `config`: the configuration as plain JSON.
    """

    path: str
    model: str
    config: Mapping[str, Any]


@runtime_checkable
class Remade(Protocol):
    """A strategy whose code is not ours. What that keeps outside the object would outlive a run, so that each of its
    runs on altered bars has a process of its own.
    """

    def recipe(self) -> Recipe:
        """For the other process."""
