"""Before a training: is there room for it, asked before anything large is loaded; and how long it will take."""

from marketdata import catalog
from marketdata.catalog import Catalog
from marketdata.config_base import ConfigFault
from marketdata.features import feature_plan
from marketdata.splits import Range
from marketdata.store import StoreError
from marketdata.walk_forward import ranges_of
from rl.config import TrainConfig
from rl.needs import MIB, Needs, gib
from rl.probe import Expected, expect
from rl.task import Task
from runfiles import machine
from runfiles.job import Job, JobRefused
from runfiles.machine import Limit

MAPPED = 1300 * MIB
"""What libraries that are still to be loaded map without using it, which RLIMIT_AS and RLIMIT_DATA count."""


def require(job: Job, config: TrainConfig) -> None:
    """Tell what the training takes. Raises JobRefused with one sentence where memory or disk cannot hold it.

    Where the data are at fault nothing is said: the phase that loads them tells it better.
    """
    try:
        needs = _needs(job, config)
    except (ConfigFault, StoreError):
        return
    limit, free = machine.memory_limit(), machine.disk_free(job.folder)
    try:
        needs.require_memory(limit)
        _require_address(needs)
        needs.require_disk(free)
    except ConfigFault as fault:
        raise JobRefused(fault.first) from fault
    job.log(f"expected: {gib(needs.peak)} of memory, and {limit.of} {gib(limit.bytes)}; "
            f"{gib(needs.written)} of disk, and {gib(free)} are free")  # fmt: skip
    job.events.metric(expected_memory_mb=needs.peak / MIB, expected_disk_mb=needs.written / MIB)
    now = machine.memory_available()
    if now is not None and needs.peak - (machine.resident() or 0) > now:
        job.events.warning(f"The training needs about {gib(needs.peak)} of memory, and {gib(now)} are free now: unless "
                           "other processes end, it may be killed for want of it.")  # fmt: skip


def expected_rate(job: Job, config: TrainConfig, task: Task, validation: Range, done: int) -> float | None:
    """Steps a second that a few real ones promise, and how long that makes the training; None where they diverge,
    which the training tells itself. Raises rl.ppo.DeviceMissing.
    """
    found = expect(task, config, validation, done)
    if found is None:
        return None
    job.log(_told(found))
    job.events.metric(expected_time_s=found.seconds)
    return found.rate


def _told(found: Expected) -> str:
    how = "" if found.exact else ", by smaller minibatches than its own"
    minutes, seconds = divmod(round(found.seconds), 60)
    time = f"{minutes:,} min {seconds} s" if minutes else f"{seconds} s"
    return f"expected: {time} of training, {found.rate:,.0f} steps a second{how}"


def _needs(job: Job, config: TrainConfig) -> Needs:
    held, asked = Catalog(job.datasets), config.dataset
    entry = held.find(asked.id) if asked.version is None else held.entry(asked.version, asked.id)
    dataset = catalog.resolve(entry, asked)
    days = catalog.sessions(entry, dataset.start, dataset.end)
    adjustment = dataset.adjustment or entry.adjustment
    plan = feature_plan(config.features, entry.fields | entry.actions, adjustment, entry.interval, entry.calendar)
    ranges = ranges_of(config.split, days, lookback=config.features.lookback, warmup=plan.warmup)
    resolved = config.model_copy(update={"dataset": dataset})
    return resolved.needs(entry, bars=len(days), test=ranges.test.n_bars, features=len(plan.names))


def _require_address(needs: Needs) -> None:
    """Against what may still be mapped. Raises ConfigFault."""
    limit, held = machine.address_limit(), machine.resident()
    if limit is not None and held is not None:
        needs.require_memory(Limit(max(0, limit.bytes - MAPPED), limit.of), held)
