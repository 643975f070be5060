"""One world, tried: the set-up trained in it with each of its seeds, judged as one subject, and what could be had."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from backtest.contest import Contest
from backtest.judge import excess_of
from backtest.lineup import verdict_baselines
from backtest.runner import StrategyUnfit
from backtest.seed_books import books_of
from backtest.statistics import grown
from backtest.verdict import Code, code_of
from marketdata.splits import Range, Ranges
from rl.calibrate.learning import LearnedBySeeds, LearnedHere, learn
from rl.calibrate.oracle import Oracle, growth_of
from rl.calibrate.world import World
from rl.config import TrainConfig
from rl.regime import regime_of
from rl.task import Task, make_task
from simulator.market import prepare_market

Told = Callable[[int, int], None]
"""Hears the seed's place among the seeds, and how many of its steps are made."""


@dataclass(frozen=True)
class Attempt:
    """What came of a world. Growth is the mean log return of a test bar: of each seed's own book, of cash, and of the
    oracle, whose δ is `delta`.

    `excess`, `low`: the verdict's, fractions a year; `baseline`: the one that was hardest to beat.
    `capture` (S,): what of the oracle's growth above cash each seed makes; None where the oracle makes none, or where
    there is nothing to find.
    """

    kappa: float
    number: int
    code: Code
    excess: float
    low: float
    baseline: str
    growth: tuple[float, ...]
    cash: float
    oracle: float | None
    delta: float | None

    @property
    def shown(self) -> bool:
        return self.code == "shown"

    @property
    def capture(self) -> tuple[float, ...] | None:
        if self.oracle is None or self.oracle <= self.cash:
            return None
        return tuple((one - self.cash) / (self.oracle - self.cash) for one in self.growth)

    @property
    def mean_growth(self) -> float:
        return float(np.mean(self.growth))


def attempt(world: World, config: TrainConfig, ranges: Ranges, kappa: float, number: int, told: Told) -> Attempt:
    """Train `config` with each of its seeds in a world, and judge them together on its test range.

    The leak gate is taken as passed: it can only make less of a verdict. Raises TrainingDiverged, rl.ppo.DeviceMissing,
    StrategyUnfit, ConfigFault.
    """
    task = task_of(world, config, ranges.train)
    seeds = config.training.seeds
    learned = tuple(
        learn(task, config.of_seed(seed), ranges.validation, partial(told, place)) for place, seed in enumerate(seeds)
    )
    subject = learned[0] if len(seeds) == 1 else LearnedBySeeds(seeds, learned)
    return _judged(world, task, config, ranges, subject, kappa, number)


def task_of(world: World, config: TrainConfig, train: Range) -> Task:
    """The task of a training in this world. Raises ConfigFault."""
    return make_task(
        prepare_market(world.bars, config), config, config.reward, config.features, world.features, train=train,
        benchmark=config.evaluation.benchmark, regime=regime_of(config, world.bars, train),
    )  # fmt: skip


def _judged(
    world: World, task: Task, config: TrainConfig, ranges: Ranges, subject: LearnedHere | LearnedBySeeds, kappa: float,
    number: int,
) -> Attempt:  # fmt: skip
    trials = max(config.evaluation.trials, len(config.training.family))
    evaluation = config.evaluation.model_copy(update={"trials": trials, "waterfall": False})
    chosen = config.model_copy(update={"evaluation": evaluation})
    against, test = verdict_baselines(subject.key, chosen), ranges.test
    judged = Contest(chosen, subject).judge(task.market, test, lambda: None)
    excess = excess_of(judged, against, chosen, task.market)
    if excess is None:
        raise StrategyUnfit("evaluation.baselines: There is no baseline to beat.")
    by_key = {one.key: one.ledger for one in judged}
    oracle = Oracle.fitted(task.market, config, world.signal, ranges.train) if kappa > 0 else None
    return Attempt(
        kappa=kappa,
        number=number,
        code=code_of(excess, test.n_bars, may_be_shown=True),
        excess=grown(excess.theta[excess.best]),
        low=grown(excess.least_low),
        baseline=against[excess.best],
        growth=tuple(growth_of(book.equity) for book in books_of(judged[0].ledger)),
        cash=growth_of(by_key["cash"].equity),
        oracle=oracle.growth(test) if oracle else None,
        delta=oracle.delta if oracle else None,
    )
