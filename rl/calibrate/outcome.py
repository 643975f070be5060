"""What came of all worlds, in numbers and in words: `report/calibration.json`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from backtest.verdict import signed
from rl.calibrate.attempt import Attempt
from rl.calibrate.chance import above, at_least, at_most, below
from rl.config import CalibrateConfig

Code = Literal["false_alarms", "learns", "not_shown", "learns_nothing", "no_signal"]

LEADS: dict[Code, str] = {
    "false_alarms": "This set-up calls luck skill more often than it may",
    "learns": "This set-up can learn",
    "not_shown": "This set-up learns, but its test does not show it",
    "learns_nothing": "This set-up learned nothing that lasts",
    "no_signal": "Nothing was planted, so that only false alarms were looked for",
}
MAY_ALARM = 0.05
"""Share of worlds with nothing to find in which a verdict at 95 % may say `shown`."""
SOME = 0.25
"""Of the oracle's growth: from here on a policy has learned something."""
BPS = 1e4


@dataclass(frozen=True)
class Group:
    """The worlds of one strength, 0 for those with nothing to find. `shown` of `tried`; `low`, `high` are one-sided
    95 % limits of the rate behind that; `capture`: median over worlds and seeds, with the least and the largest, None
    where no oracle earns anything; `growth`: mean log return of a test bar, over worlds and seeds.
    """

    kappa: float
    asked: int
    tried: int
    shown: int
    low: float
    high: float
    capture: float | None
    capture_least: float | None
    capture_most: float | None
    growth: float

    @classmethod
    def of(cls, kappa: float, asked: int, attempts: Sequence[Attempt]) -> "Group":
        """Of at least one attempt."""
        shown, tried = sum(one.shown for one in attempts), len(attempts)
        captures = [each for one in attempts for each in one.capture or ()]
        least, median, most = np.quantile(captures, (0, 0.5, 1)).tolist() if captures else (None, None, None)
        growth = float(np.mean([one.mean_growth for one in attempts]))
        low, high = at_least(shown, tried), at_most(shown, tried)
        return cls(kappa, asked, tried, shown, low, high, median, least, most, growth)

    @property
    def sentence(self) -> str:
        worlds = f"{self.tried} world{'' if self.tried == 1 else 's'}"
        if self.kappa == 0:
            grew = _bps(self.growth)
            return (
                f"In {self.shown} of {worlds} with nothing to find it was shown: the false-discovery rate "
                f"{self._limit(below(self.high), most=True)}; the mean growth there was {grew} bps a bar."
            )
        said = (
            f"A signal of strength {self.kappa:g} was shown in {self.shown} of {worlds}: the power "
            f"{self._limit(above(self.low), most=False)}."
        )
        if self.capture is None:
            return f"{said} After these costs an oracle that knows the signal earns nothing with it either."
        spread = f"{self.capture_least:.2f} to {self.capture_most:.2f}"
        return f"{said} Of what an oracle earns with it the policies earned {self.capture:.2f} ({spread})."

    def _limit(self, text: str, *, most: bool) -> str:
        if most and self.shown == self.tried:
            return "may be anything up to 100 %"
        if not most and self.shown == 0:
            return f"is below {below(self.high)} with 95 % confidence"
        return f"is {'below' if most else 'at least'} {text} with 95 % confidence"


@dataclass(frozen=True)
class Calibration:
    """All attempts so far of a configuration; `start`, `end`, `n_bars` of the test range."""

    config: CalibrateConfig
    start: str
    end: str
    n_bars: int
    attempts: tuple[Attempt, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """Of each strength that was tried, in the order in which they are."""
        wanted = [kappa for kappa, _ in self.config.calibration.worlds]
        found = []
        for kappa in dict.fromkeys(wanted):
            mine = [one for one in self.attempts if one.kappa == kappa]
            found += [Group.of(kappa, wanted.count(kappa), mine)] if mine else []
        return tuple(found)

    @property
    def complete(self) -> bool:
        return len(self.attempts) == len(self.config.calibration.worlds)

    @property
    def code(self) -> Code:
        """The first that fits; of several strengths the largest counts."""
        null = next((one for one in self.groups if one.kappa == 0), None)
        if null is not None and null.low > MAY_ALARM:
            return "false_alarms"
        planted = max((one for one in self.groups if one.kappa > 0), key=lambda one: one.kappa, default=None)
        if planted is None:
            return "no_signal"
        if 2 * planted.shown >= planted.tried:
            return "learns"
        return "not_shown" if planted.capture is not None and planted.capture >= SOME else "learns_nothing"

    @property
    def sentence(self) -> str:
        asked = len(self.config.calibration.worlds)
        stopped = "" if self.complete else f" So far {len(self.attempts)} of {asked} worlds were tried."
        return " ".join((f"{LEADS[self.code]}.{stopped}", *(group.sentence for group in self.groups)))

    def as_dict(self) -> dict[str, Any]:
        """`report/calibration.json`: no clock, path or id."""
        return {
            "code": self.code,
            "sentence": self.sentence,
            "complete": self.complete,
            "range": {"start": self.start, "end": self.end, "n_bars": self.n_bars},
            "seeds": list(self.config.training.seeds),
            "groups": [{**asdict(group), "sentence": group.sentence} for group in self.groups],
            "worlds": [world_of(one) for one in self.attempts],
        }


def _bps(growth: float) -> str:
    return f"{growth * BPS:+.2f}".replace("-", "−")


def world_of(one: Attempt) -> dict[str, Any]:
    """A row of `worlds`."""
    return {**asdict(one), "growth": list(one.growth), "capture": None if one.capture is None else list(one.capture)}


def line(one: Attempt) -> str:
    """For the log, and a person at a terminal."""
    what = f"strength {one.kappa:g}" if one.kappa else "nothing to find"
    grew = ", ".join(map(_bps, one.growth))
    said = (
        f"world {one.number}, {what}: {one.code}, {signed(one.excess)} a year against {one.baseline}, {grew} bps a bar"
    )
    if one.oracle is None:
        return said
    captured = "nothing to capture" if one.capture is None else ", ".join(f"{each:.3f}" for each in one.capture)
    return f"{said}, the oracle {_bps(one.oracle)}; capture {captured}"
