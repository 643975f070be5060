"""What the leak gate found: one line a check, and one sentence for the verdict."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

CheckState = Literal["passed", "failed", "not_examined", "absent"]
GateState = Literal["passed", "failed", "incomplete"]

NAMES: dict[str, str] = {
    "repeatable": "Two runs on the same bars are the same",
    "known_at": "Every feature was known by the close at which it is used",
    "features": "Features do not change when later bars do",
    "statistics": "Normaliser and regime are fitted on the training bars alone",
    "observations": "What is observed does not change when later bars do",
    "lag": "Nothing knows the next bar",
    "decisions": "Decisions do not change when later bars do",
    "book": "Fills, shares and money do not change when later bars do",
    "fill_times": "Every fill comes after its decision, at a price of its own bar",
}
"""Every check by key, in the order in which a failure is told: the cause stands before what follows from it."""


@dataclass(frozen=True)
class Check:
    """One check. `cases`: how many comparisons it made; `sentence`: the first failure, or why it was not examined.

    `not_examined`: it should have been, and could not; `absent`: the subject has nothing of this kind.
    """

    key: str
    name: str
    state: CheckState
    cases: int
    sentence: str


SHARE = 0.01
"""Of the bars, on which a peek is assumed where the power of the search is told."""


ENOUGH = 0.9
"""Power from which on a search for peeks so rare tells something."""


@dataclass(frozen=True)
class Reach:
    """How much was searched for a peek of one bar, which shows only where that bar is the first unknown one.

    `what`: `decisions` or `features`; `cut`: after how many of their bars the future was altered; `of`: all there are.
    """

    what: str
    cut: int
    of: int

    @property
    def power(self) -> float:
        """Probability that one of the cuts lies on a peek, where these are scattered over `SHARE` of the bars."""
        peeks = math.ceil(SHARE * self.of)
        missed = math.prod(max(self.of - self.cut - k, 0) / (self.of - k) for k in range(peeks))
        return 1.0 - missed

    @property
    def sentence(self) -> str:
        where = "decisions" if self.what == "decisions" else "bars at which features are read"
        found = (
            f"Bars were altered right behind {self.cut:,} of {self.of:,} {where}. Code that looks one bar ahead at "
            f"{SHARE * 100:g} % of them, and nowhere else, would be found with probability "
            f"{math.floor(100 * self.power)} %"
        )
        if self.power >= ENOUGH:
            return f"{found}."
        return f"{found}: it may well go unseen. Code that looks ahead at most of them is found."


@dataclass(frozen=True)
class LeakReport:
    """All checks of one subject. `cuts`: days after whose close bars were altered; `reruns`: runs on altered bars."""

    subject: str
    start: str
    end: str
    cuts: tuple[str, ...]
    reruns: int
    checks: tuple[Check, ...]
    reach: Reach | None = None

    @property
    def state(self) -> GateState:
        """`failed` with a leak, `incomplete` where something could not be examined, else `passed`."""
        states = {check.state for check in self.checks}
        if "failed" in states:
            return "failed"
        return "incomplete" if "not_examined" in states else "passed"

    @property
    def sentence(self) -> str:
        """The first leak, or what could not be examined, or that none was found."""
        for state in ("failed", "not_examined"):
            for check in self.checks:
                if check.state == state:
                    return check.sentence
        found = f"No leak found: {self.reruns} runs on altered bars changed nothing that had been decided before."
        return found if self.reach is None else f"{found} {self.reach.sentence}"

    def as_dict(self) -> dict[str, Any]:
        """`report/leaks.json`: no clock, path or id."""
        return {
            "state": self.state,
            "sentence": self.sentence,
            "subject": self.subject,
            "range": {"start": self.start, "end": self.end},
            "cuts": list(self.cuts),
            "reruns": self.reruns,
            "reach": None if self.reach is None else {**asdict(self.reach), "power": self.reach.power},
            "checks": [asdict(check) for check in self.checks],
        }


class Findings:
    """Counts cases and keeps the first failure of each check while the gate runs."""

    def __init__(self) -> None:
        self._cases = dict.fromkeys(NAMES, 0)
        self._failed: dict[str, str] = {}
        self._open: dict[str, str] = {}

    def case(self, key: str, sentence: str | None, count: int = 1) -> None:
        """One comparison of a check, or `count` of them; a sentence is a failure."""
        self._cases[key] += count
        if sentence is not None:
            self._failed.setdefault(key, sentence)

    def not_examined(self, key: str, sentence: str) -> None:
        self._open.setdefault(key, sentence)

    def checks(self, absent: frozenset[str]) -> tuple[Check, ...]:
        """In the order of `NAMES`; `absent` are those that the subject has nothing for."""
        return tuple(self._check(key, name, absent) for key, name in NAMES.items())

    def _check(self, key: str, name: str, absent: frozenset[str]) -> Check:
        cases = self._cases[key]
        if key in self._failed:
            return Check(key, name, "failed", cases, self._failed[key])
        if key in self._open:
            return Check(key, name, "not_examined", cases, self._open[key])
        return Check(key, name, "absent" if key in absent else "passed", cases, "")
