"""What a benchmark says: one figure of ours beside a reference of the same run, held to a goal."""

import math
from dataclasses import asdict, dataclass
from typing import Literal

Kind = Literal["time", "rate"]
Gate = Literal["ratio", "ours"]


@dataclass(frozen=True)
class Goal:
    """`value` and `stretch` bound the ratio (`gate` "ratio": at least) or our own figure in its unit (`gate` "ours":
    at most for a time, at least for a rate).
    """

    value: float
    gate: Gate
    stretch: float | None = None


@dataclass(frozen=True)
class Work:
    """A benchmark before it has run: what it is called and held to. `kind` "time": less is better; "rate": more is."""

    id: str
    title: str
    unit: str
    kind: Kind
    goal: Goal


@dataclass(frozen=True)
class Figure:
    """A line of results.json. `ours`, `reference` and `ratio` are None where the answers differed: a void figure."""

    id: str
    ours: float | None
    reference: float | None
    unit: str
    ratio: float | None
    goal: float
    stretch: float | None
    met: bool
    equal: bool
    versions: dict[str, str]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def ratio_of(kind: Kind, ours: float, reference: float) -> float:
    """How many times better ours is: reference / ours for times, ours / reference for rates."""
    return reference / ours if kind == "time" else ours / reference


def is_met(work: Work, ours: float, ratio: float) -> bool:
    if work.goal.gate == "ratio":
        return ratio >= work.goal.value
    return ours <= work.goal.value if work.kind == "time" else ours >= work.goal.value


def make_figure(work: Work, ours: float, reference: float, versions: dict[str, str]) -> Figure:
    """The figure of a work whose answers were equal. Raises ValueError for a measurement that is not above 0."""
    if not (ours > 0 and reference > 0 and math.isfinite(ours) and math.isfinite(reference)):
        raise ValueError(f"{work.id}: measurements must be finite and above 0, not {ours} and {reference}")
    ratio = ratio_of(work.kind, ours, reference)
    return Figure(
        work.id, ours, reference, work.unit, ratio, work.goal.value, work.goal.stretch,
        is_met(work, ours, ratio), True, versions,
    )  # fmt: skip


def void_figure(work: Work, versions: dict[str, str]) -> Figure:
    """The figure of a work whose answers differed: nothing was measured, nothing is met."""
    return Figure(work.id, None, None, work.unit, None, work.goal.value, work.goal.stretch, False, False, versions)
