"""What a judgement found: the one thing that files, pages and logs are made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from backtest.config import JudgedConfig
from backtest.evidence import Evidence, Parts
from backtest.feed import Feed
from backtest.imported import ABSENT, Imported
from backtest.in_sample import InSample
from backtest.leaks.report import LeakReport
from backtest.matched_random import MatchedRandom
from backtest.runner import Judged
from backtest.seed_figures import Seeds
from backtest.split_told import Split
from backtest.statistics import Excess
from backtest.verdict import Verdict
from marketdata.config import FeaturesConfig
from marketdata.splits import Range
from simulator.market import Market


@dataclass(frozen=True)
class Case:
    """What is judged: the subject comes first in `judged`; `against` are the baselines of the verdict.

    `features`: what a policy sees, `taught`: how it was trained, by group of the configuration; None of a subject that
    learned nothing, and where a policy's file does not tell.
    `seeds`: of a subject that was trained with several.
    `imported`: the file of a subject that is no strategy of ours but a curve.
    `trained`: the subject on the bars that it was trained on, None where it was on none of these.
    """

    config: JudgedConfig
    feed: Feed
    market: Market
    span: Range
    judged: tuple[Judged, ...]
    against: tuple[str, ...]
    excess: Excess | None
    verdict: Verdict
    stamps: tuple[str, ...]
    config_hash: str
    evidence: Evidence
    leaks: LeakReport
    split: Split
    matched: MatchedRandom | None = None
    trained: InSample | None = None
    features: FeaturesConfig | None = None
    taught: Mapping[str, BaseModel] | None = None
    seeds: Seeds | None = None
    imported: Imported | None = None

    @property
    def subject(self) -> Judged:
        return self.judged[0]

    @property
    def absent(self) -> Mapping[str, str]:
        """Tables and sections that the subject cannot have, each with the reason; none of a strategy of ours."""
        return {} if self.imported is None else ABSENT

    @property
    def range(self) -> dict[str, Any]:
        """First decision and last mark as days, and the number of returns between them."""
        session = self.market.bars.session
        return {"start": str(session[self.span.t0]), "end": str(session[self.span.t1]), "n_bars": self.span.n_bars}

    @property
    def parts(self) -> Parts:
        """The subject's account in parts."""
        return self.evidence.parts[0]
