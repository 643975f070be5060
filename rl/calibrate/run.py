"""A calibration: `python -m rl.calibrate RUN_DIR --datasets DIR`.

RUN_DIR holds `config.yaml`, a `CalibrateConfig`. Each world is made of the stored bars (rl.calibrate.permuted), the
set-up is trained in it with each of its seeds and judged on its test range (rl.calibrate.attempt). After each world
`report/calibration.json` is written anew: a calibration that is stopped leaves what it has found.
"""

import time
from functools import partial

import numpy as np

from backtest.feed import Feed, left_out_of_features, load_feed, read_config, write_note
from backtest.holding import require_benchmark
from backtest.runner import StrategyUnfit
from backtest.strategy_tables import ordered_json
from marketdata.bars import Bars, BarsError
from marketdata.config_base import ConfigFault, as_sentence
from marketdata.features import FeaturePlan, build_features, plan_of
from marketdata.splits import Ranges
from marketdata.walk_forward import ranges_of
from rl import room
from rl.calibrate.attempt import Attempt, attempt, task_of
from rl.calibrate.outcome import Calibration, line
from rl.calibrate.permuted import Shuffler
from rl.calibrate.world import SIGNAL, Floats, World
from rl.config import CalibrateConfig
from rl.ppo import DeviceMissing, total_steps
from rl.probe import expect
from rl.task import FeatureTable
from rl.training import TrainingDiverged
from runfiles import atomic, layout
from runfiles.job import Job, JobDiverged, JobRefused
from simulator.market import prepare_market


def run(job: Job) -> None:
    """The job. Raises JobRefused with one sentence for what is wrong with the input."""
    config = read_config(job, CalibrateConfig)
    room.require(job, config)
    try:
        found = _Worlds(job, config).try_all()
    except ConfigFault as fault:
        raise JobRefused(fault.first) from fault
    except (StrategyUnfit, DeviceMissing, BarsError) as fault:
        raise JobRefused(as_sentence(str(fault))) from fault
    except TrainingDiverged as fault:
        raise JobDiverged(f"{fault}.") from fault
    job.log(f"CALIBRATION: {found.sentence}")


class _Worlds:
    """The worlds of one job. Raises ConfigFault, BarsError where configuration and data do not fit."""

    def __init__(self, job: Job, config: CalibrateConfig) -> None:
        self._job, self._config = job, config
        self._feed: Feed = load_feed(job, config.dataset)
        bars = self._feed.bars
        config.model.require(bars.n_assets)
        self._plan: FeaturePlan = plan_of(config.features, bars)
        lookback = config.features.lookback
        self._ranges: Ranges = ranges_of(config.split, bars.session, lookback=lookback, warmup=self._plan.warmup)
        config.require(self._ranges.test.n_bars)
        require_benchmark(config.evaluation.benchmark, prepare_market(bars, config), self._ranges.test)
        write_note(job, self._feed, build_features(bars, self._plan))
        for sentence in left_out_of_features(self._plan):
            job.events.warning(sentence)
        self._shuffler = Shuffler(bars)
        self._each = total_steps(config.model, config.training)
        self._rate: float | None = None
        self._began = 0.0

    def try_all(self) -> Calibration:
        asked, attempts = self._config.calibration.worlds, list[Attempt]()
        for place, (kappa, number) in enumerate(asked):
            world = self._world(kappa, number)
            if not place:
                self._tell_time(world)
                self._job.events.enter("train")
                self._began = time.monotonic()
            told = partial(self._tell, place)
            attempts.append(attempt(world, self._config, self._ranges, kappa, number, told))
            self._job.log(line(attempts[-1]))
            found = self._kept(attempts)
        self._job.events.enter("report")
        return found

    def _world(self, kappa: float, number: int) -> World:
        """World `number` has the same order of bars and the same signal for every strength."""
        chance = np.random.default_rng([self._config.calibration.seed, number])
        bars, signal = self._shuffler.world(chance, kappa)
        return World(bars, with_signal(bars, self._plan, signal), signal)

    def _kept(self, attempts: list[Attempt]) -> Calibration:
        test, session = self._ranges.test, self._feed.bars.session
        days = str(session[test.t0]), str(session[test.t1])
        found = Calibration(self._config, *days, test.n_bars, tuple(attempts))
        path = self._job.folder / layout.FILES[layout.CALIBRATION].path
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(path, ordered_json(found.as_dict()))
        done, asked = len(attempts), len(self._config.calibration.worlds)
        self._job.events.metric(worlds=done, shown=sum(one.shown for one in attempts), of_worlds=asked)
        return found

    def _tell_time(self, world: World) -> None:
        """By a few real steps in the first world. Raises DeviceMissing."""
        task = task_of(world, self._config, self._ranges.train)
        found = expect(task, self._config.of_seed(self._config.training.seeds[0]), self._ranges.validation)
        if found is None:
            return  # it diverges at once, which the training tells itself
        self._rate = found.rate
        count = self._total // self._each
        minutes = found.seconds * count / 60
        self._job.log(f"expected: {count} trainings of {found.seconds:,.0f} s each, {minutes:,.0f} min in all, and the "
                      "judgement of each world")  # fmt: skip
        self._job.events.metric(expected_time_s=found.seconds * count)

    @property
    def _total(self) -> int:
        return len(self._config.calibration.worlds) * len(self._config.training.seeds) * self._each

    def _tell(self, place: int, seed: int, steps: int) -> None:
        """The rate is that of all so far, judgements among it; in the first training the one that is expected."""
        before = (place * len(self._config.training.seeds) + seed) * self._each
        made = before + min(steps, self._each)
        rate = made / (time.monotonic() - self._began) if before else self._rate
        self._job.events.progress(made, self._total, rate)


def with_signal(bars: Bars, plan: FeaturePlan, signal: Floats) -> FeatureTable:
    """The features of a world with the signal behind them."""
    features = build_features(bars, plan)
    return FeatureTable(np.concatenate((features.values, signal[:, :, None]), axis=2), (*features.names, SIGNAL))
