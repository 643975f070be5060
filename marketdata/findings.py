"""What may be wrong with bars, as one sentence naming symbol, date and field."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

Level = Literal["green", "amber", "red"]
"""red: a run on these bars is refused; amber: told in the report; green: nothing found."""


@dataclass(frozen=True)
class Finding:
    """`symbol` is empty when all are meant; `date` is the first session concerned."""

    level: Level
    code: str
    symbol: str
    date: dt.date
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"date": self.date.isoformat()}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        date = dt.date.fromisoformat(value["date"])
        return cls(value["level"], value["code"], value["symbol"], date, value["sentence"])


def counted(n: int, units: str) -> str:
    """`1 session`, `1,204 sessions`."""
    return f"{n:,} {units.removesuffix('s') if n == 1 else units}"


def worst(findings: Iterable[Finding]) -> Level:
    levels = {finding.level for finding in findings}
    return "red" if "red" in levels else "amber" if "amber" in levels else "green"
