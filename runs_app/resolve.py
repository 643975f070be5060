"""From what was asked to what will run: every default filled in, everything checked against the stored data.

Raises ConfigFault (field → sentences) with all the faults that can be found at once. Reads small files only.
"""

from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from django.conf import settings

from backtest.config import BacktestConfig, ImportConfig, JudgedConfig
from backtest.registry import evaluation_faults
from marketdata import catalog, fetch_config, splits, walk_forward
from marketdata.bars import Days
from marketdata.catalog import DatasetEntry
from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault
from marketdata.features import FeaturePlan, feature_plan
from marketdata.fetch_config import DataConfig
from marketdata.sources.base import HISTORIES, HistorySpec
from rl.config import DEFAULT_THREADS, CalibrateConfig, CvConfig, TrainConfig
from runfiles import machine
from runfiles.policy_list import Start
from runs_app import datasets
from simulator.config import data_faults

C = TypeVar("C", bound=JudgedConfig)


T = TypeVar("T", bound=TrainConfig)


def training(owner: Any, config: T, *, checked_only: bool = False) -> T:
    """A training, or a walk-forward, whose dataset, books and threads are said outright. Unless it is `checked_only`,
    and nothing is trained, there must be room for it; of several trainings, for the one that takes most.
    """
    entry, resolved = _judged(owner, config)
    config.model.require(len(resolved.dataset.symbols or entry.symbols))
    plan, days, needed = _bars(entry, resolved)
    if isinstance(config, CvConfig):
        ranges = walk_forward.make_folds(config.split, days, **needed)
    else:
        ranges = (walk_forward.ranges_of(config.split, days, **needed),)
    config.regime.require(min(one.train.n_bars for one in ranges))
    filled = {"n_envs": config.training.books, "threads": config.training.threads or DEFAULT_THREADS}
    found = resolved.model_copy(update={"training": config.training.model_copy(update=filled)})
    if not checked_only:
        needs = found.needs(
            entry, bars=len(days), test=max(one.test.n_bars for one in ranges), features=len(plan.names)
        )
        needs.require_memory(machine.memory_limit())  # jobs run on this machine, in this server's control group
        needs.require_disk(machine.disk_free(settings.RUNS_ROOT))
    return found


def calibration(owner: Any, config: CalibrateConfig) -> CalibrateConfig:
    """A training's set-up as `training` resolves it, on whose test range something can be shown."""
    resolved = training(owner, config)
    entry = datasets.find(owner, resolved.dataset.id, resolved.dataset.version)
    _, days, needed = _bars(entry, resolved)
    resolved.require(walk_forward.ranges_of(resolved.split, days, **needed).test.n_bars)
    return resolved


def fold_starts(owner: Any, config: CvConfig) -> tuple[Start, ...]:
    """Where the folds of a resolved walk-forward begin. Raises ConfigFault where its dataset is gone."""
    entry = datasets.find(owner, config.dataset.id, config.dataset.version)
    _, days, needed = _bars(entry, config)
    return walk_forward.fold_starts(config.split, days, **needed)


def _bars(entry: DatasetEntry, config: TrainConfig) -> tuple[FeaturePlan, Days, dict[str, int]]:
    """A training's features, the days of its bars, and how many it looks back and needs for its features."""
    plan = _plan(config.features, entry, config)
    days = catalog.sessions(entry, config.dataset.start, config.dataset.end)
    return plan, days, {"lookback": config.features.lookback, "warmup": plan.warmup}


_DAYS_INSTEAD: Final = "Or name the days that are judged: start and end."


def backtest(owner: Any, config: BacktestConfig) -> BacktestConfig:
    """A backtest whose dataset is said outright, of a subject that `judged` has looked at."""
    entry, resolved = _judged(owner, config)
    features = config.features
    warmup = _plan(features, entry, resolved).warmup if features else 0
    lookback = features.lookback if features else 0
    days = catalog.sessions(entry, resolved.dataset.start, resolved.dataset.end)
    if config.start is not None and config.end is not None:
        splits.range_between(days, config.start, config.end, needed=lookback + warmup)
        return resolved
    try:
        walk_forward.tested(config.split, days, lookback=lookback, warmup=warmup)
    except ConfigFault as fault:
        of_scheme = [f"{text} {_DAYS_INSTEAD}" for text in fault.errors.get("split.scheme", [])]
        raise ConfigFault(fault.errors | ({"split.scheme": of_scheme} if of_scheme else {})) from fault
    return resolved


def importing(owner: Any, config: ImportConfig) -> ImportConfig:
    """An imported result whose dataset is said outright; its days are looked at by the job."""
    return _judged(owner, config)[1]


def data(config: DataConfig) -> DataConfig:
    """A fetch whose first day is said outright."""
    if absent := [key for key in config.sources if key not in sources_here()]:
        said = f"{absent[0]} is not set up on this server, whose operator names its folder in STOCKBOT_FILES"
        raise ConfigFault({"sources": [f"{said}; leave it out."]})
    return fetch_config.resolved(config, datetime.now(UTC).date())


def sources_here() -> dict[str, HistorySpec]:
    """The registered sources of a fetch that this server can ask; `files` needs a folder of the operator's."""
    return {key: spec for key, spec in HISTORIES.items() if key != "files" or settings.FILES_FOLDER}


def _judged(owner: Any, config: C) -> tuple[DatasetEntry, C]:
    """What training and backtest share: the stored data, and the rules that it must serve."""
    entry = datasets.find(owner, config.dataset.id, config.dataset.version)
    dataset = catalog.resolve(entry, config.dataset)
    symbols = dataset.symbols or entry.symbols
    faults = data_faults(config, entry.fields, dataset.adjustment or entry.adjustment, frozenset(entry.rate_columns))
    chosen = config.evaluation
    faults |= evaluation_faults(chosen.baselines, chosen.benchmark, symbols, chosen.fixed_weights or ())
    for finding in entry.findings:
        if finding.get("level") == "red" and finding.get("symbol") in ("", *symbols):
            faults.setdefault("dataset.symbols", []).append(str(finding.get("sentence")))
    if faults:
        raise ConfigFault(faults)
    return entry, config.model_copy(update={"dataset": dataset})


def _plan(features: FeaturesConfig, entry: DatasetEntry, config: JudgedConfig) -> FeaturePlan:
    held, adjustment = entry.fields | entry.actions, config.dataset.adjustment or entry.adjustment
    return feature_plan(features, held, adjustment, entry.interval, entry.calendar)
