"""The days that a policy was made from: trained on, or selected on. They travel in its file, so that it can be told
apart whether it is judged on what it knows."""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Days
from marketdata.splits import Range

Span = tuple[dt.date, dt.date]


@dataclass(frozen=True)
class LearnedDays:
    """First and last day, both counted, of the train and the validation range.

    `rows_sha256`: of the features on the training bars, as `rows_hash` gives it, so that other data can be told from a
    wrong fit; empty where the file does not tell. `regime_sha256`: likewise of the inputs of its regime model, as
    `regime.inputs_hash` gives it; empty without regimes.
    """

    train: Span
    validation: Span
    rows_sha256: str = ""
    regime_sha256: str = ""

    @classmethod
    def of(cls, session: Days, train: Range, validation: Range, rows_sha256: str = "",
           regime_sha256: str = "") -> Self:  # fmt: skip
        """The days of two ranges of the master index; `session` (T,)."""
        learned, selected = ((session[r.t0].item(), session[r.t1].item()) for r in (train, validation))
        return cls(learned, selected, rows_sha256, regime_sha256)

    def training_bars(self, session: Days) -> Range | None:
        """The training range on another master index (T,); None where its first or last day is not there."""
        first = int(np.searchsorted(session, np.datetime64(self.train[0], "D"), side="left"))
        last = int(np.searchsorted(session, np.datetime64(self.train[1], "D"), side="right")) - 1
        days = (session[first : first + 1].tolist(), session[last : last + 1].tolist())
        return Range(first, last) if days == ([self.train[0]], [self.train[1]]) else None

    def count(self, days: Days) -> int:
        """How many of `days` (n,) lie in either range."""
        seen = np.zeros(len(days), dtype=np.bool_)
        for first, last in (self.train, self.validation):
            seen |= (days >= np.datetime64(first, "D")) & (days <= np.datetime64(last, "D"))
        return int(seen.sum())

    def as_dict(self) -> dict[str, Any]:
        spans = {"train": self.train, "validation": self.validation}
        days: dict[str, Any] = {name: [day.isoformat() for day in span] for name, span in spans.items()}
        said = {"regime_sha256": self.regime_sha256} if self.regime_sha256 else {}
        return days | {"rows_sha256": self.rows_sha256} | said

    @classmethod
    def from_dict(cls, value: Any) -> Self:
        """Raises ValueError where this is not what `as_dict` writes."""
        try:
            spans = [tuple(dt.date.fromisoformat(day) for day in value[name]) for name in ("train", "validation")]
            (train_first, train_last), (first, last) = spans
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("the days that a policy was trained on are not told") from error
        hashes = (str(value.get(name, "")) for name in ("rows_sha256", "regime_sha256"))
        return cls((train_first, train_last), (first, last), *hashes)


def rows_hash(values: NDArray[np.float64], rows: Range) -> str:
    """sha256 of the features (T, A, F) on the bars of a range, both ends inside; every NaN counts as the same."""
    found = values[rows.t0 : rows.t1 + 1]
    content = np.where(np.isnan(found), np.nan, found + 0.0).astype("<f8").tobytes()
    return hashlib.sha256(json.dumps(found.shape).encode() + content).hexdigest()
