"""The days that a policy was made from: trained on, or selected on. They travel in its file, so that it can be told
apart whether it is judged on what it knows."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from marketdata.bars import Days
from marketdata.splits import Range

Span = tuple[dt.date, dt.date]


@dataclass(frozen=True)
class LearnedDays:
    """First and last day, both counted, of the train and the validation range."""

    train: Span
    validation: Span

    @classmethod
    def of(cls, session: Days, train: Range, validation: Range) -> Self:
        """The days of two ranges of the master index; `session` (T,)."""
        return cls(*((session[r.t0].item(), session[r.t1].item()) for r in (train, validation)))

    def count(self, days: Days) -> int:
        """How many of `days` (n,) lie in either range."""
        seen = np.zeros(len(days), dtype=np.bool_)
        for first, last in (self.train, self.validation):
            seen |= (days >= np.datetime64(first, "D")) & (days <= np.datetime64(last, "D"))
        return int(seen.sum())

    def as_dict(self) -> dict[str, list[str]]:
        return {name: [day.isoformat() for day in span] for name, span in vars(self).items()}

    @classmethod
    def from_dict(cls, value: Any) -> Self:
        """Raises ValueError where this is not what `as_dict` writes."""
        try:
            spans = [tuple(dt.date.fromisoformat(day) for day in value[name]) for name in ("train", "validation")]
            (train_first, train_last), (first, last) = spans
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("the days that a policy was trained on are not told") from error
        return cls((train_first, train_last), (first, last))
