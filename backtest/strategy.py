"""What a strategy is to the runner."""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from marketdata.bars import Days
from marketdata.config import FeaturesConfig
from marketdata.splits import Range
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.ledger import Ledger
from simulator.market import Market

Floats = NDArray[np.float64]


class Strategy(Protocol):
    """Something that can be judged.

    `layers` is "mandate" for one that speaks target weights (its targets enter at the mandate's caps) and "policy" for
    one that speaks raw actions, which pass through mapping, step cap, caps and band.
    """

    key: str
    layers: str

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """Called once before the rest, to look at the market as far as the strategy needs."""

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions | None:
        """All targets at once, where they do not depend on the book; None asks the runner to step with `decide`.

        A target at bar t may use what was known at the close of t, bars before t0 included, and nothing later.
        """

    def decide(self, t: int, session: BookSession) -> Floats | None:
        """Target weights (A,) or raw action at the close of t; None changes nothing."""


@runtime_checkable
class Pilot(Protocol):
    """A strategy that takes a book on by itself, quicker than it would decision by decision, and to the same bits."""

    def fly(self, session: BookSession) -> None:
        """Steps a book towards its last mark as far as it decides."""


@runtime_checkable
class Learned(Protocol):
    """A strategy that was made by looking at bars, and remembers which. Any other has seen none of them."""

    def seen_bars(self, market: Market, t0: int, t1: int) -> int:
        """How many of the bars t0+1..t1 it was trained or selected on."""


@runtime_checkable
class Remembers(Protocol):
    """A strategy that knows the days it was made from."""

    def learned_spans(self) -> tuple[tuple[str, dt.date, dt.date], ...]:
        """`train` and `validation` with their first and last day, both counted, in order of time."""


@runtime_checkable
class Trained(Remembers, Protocol):
    """A strategy that was trained step by step, and chosen at one of the steps."""

    @property
    def steps(self) -> int:
        """Environment steps that it had learned from when it was kept."""


@runtime_checkable
class Travelled(Protocol):
    """A strategy that was made on certain symbols, and may be run on others."""

    def trained_symbols(self) -> tuple[str, ...]:
        """The symbols that it was trained on."""


@runtime_checkable
class Sees(Protocol):
    """A strategy made for certain features."""

    @property
    def sees(self) -> FeaturesConfig:
        """Sets, indicators and lookback that it was trained on."""


@runtime_checkable
class Taught(Protocol):
    """A strategy that can say how it was trained."""

    def taught(self) -> Mapping[str, BaseModel] | None:
        """Groups of the training's configuration by name; None where that is not known."""


@runtime_checkable
class Related(Protocol):
    """A strategy that comes from a training with one or more seeds."""

    def family(self) -> tuple[int, ...]:
        """All seeds of that training, those judged here first; empty where that is not known."""


@runtime_checkable
class Outsider(Protocol):
    """A strategy that buys something which need not belong to the universe."""

    def market_for(self, market: Market) -> Market:
        """`market` with what it may buy."""


@runtime_checkable
class Telling(Protocol):
    """A strategy that has something to say of its own decisions, such as how often an optimiser failed."""

    def notes(self) -> list[str]:
        """Clauses for the stamps, about the decisions made since the strategy was made."""


@runtime_checkable
class Several(Protocol):
    """A strategy that is a fund of books which share no decision; it is run by them, and judged as their sum."""

    def books(self, market: Market, config: SimulatorConfig, t0: int, t1: int) -> list[Ledger]:
        """The ledger of each, from all cash at the close of t0 to the mark of t1."""


@runtime_checkable
class Seeded(Several, Protocol):
    """A strategy that was trained with several seeds: a book of each, judged apart (`backtest.seed_books`)."""

    seeds: tuple[int, ...]
    members: tuple[Strategy, ...]


class Turn(NamedTuple):
    """A strategy in charge of a book: it decides from span.t0 to the bar before span.t1; `fold` counts from 1."""

    fold: int
    strategy: Strategy
    span: Range


@runtime_checkable
class Relayed(Protocol):
    """Strategies that hand one book on, fold by fold: the account goes on as it stands, another decides."""

    def turns(self, session: Days, t0: int, t1: int) -> tuple[Turn, ...]:
        """Who is in charge of which decisions between t0 and t1, in order of time; their spans adjoin.

        `session` (T,) are the days of the bars.
        """
