"""What a training takes of memory and disk, by arithmetic on its configuration and the size of its data.

No torch and no numpy, for the site asks before anything starts. Memory is that of the job's process at the largest of
four moments. Factors that follow from no shape were fitted to measured peaks (docs/probe.md); a test holds the sums
against peaks of real runs. Bytes throughout.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketdata.config_base import ConfigFault
from rl.weight_count import BOOK, Seen, weight_count
from runfiles.machine import Limit

if TYPE_CHECKING:
    from marketdata.catalog import DatasetEntry
    from rl.config import TrainConfig

MIB = 1 << 20
LEARNING, JUDGING, OPTIMISING = 510 * MIB, 570 * MIB, 100 * MIB
"""A process that has loaded what learns, and what judges: interpreter, libraries, compiled code, their own memory; and
what baselines that optimise load beside it.
"""
OPTIMISED = frozenset({"min_variance", "hrp", "risk_parity"})
CELL_MADE, CELL_SPECTRUM, CELL_SWEPT, CELL_KEPT = 48, 112, 20, 16
"""Bytes a number of the feature table (bar, symbol, feature): while features are made and scaled; while the spectrum of
all windows is made, and what is kept of it (rl.projection); and of the tables themselves, once in 8 and twice in 4.
"""
BAR = 104
"""Bytes a bar and symbol: the columns that a run keeps, and what a market is prepared to."""
TRANSIENT = 3
"""Layers whose numbers lie in memory at once beside those that are kept for the gradient."""
SWEPT = 6
"""Numbers for each that a layer makes of all dates: itself, its gradient, both in frequency space."""
CONVOLVED = 2.5
"""Numbers for each that convolutions make at all dates: itself, and its gradient while it is needed."""
RECURRED = (1 << 23) + 3 * (1 << 21)
"""Numbers of a recurrence in memory: what rl.date_nets holds for the gradient, and pieces at work."""
DATES = 1 << 26
"""What rl.date_parts keeps at most of what a policy makes of the dates that it is judged on."""
WEIGHT, JOINED = 64, 24
"""Bytes a weight: itself, its gradient, two of the optimiser's, a snapshot of three, a policy kept and one packed; and
of the flat network, whose first layers are joined and turned in each step.
"""
FIELDS = {
    "libraries": "", "prices": "dataset.symbols", "features": "features.indicators", "rollout": "training.n_envs",
    "network": "model.net_arch", "gradient step": "model.batch_size", "judgement": "features.indicators",
}  # fmt: skip
"""Which field makes a part smaller."""
HALVED = (("model", "batch_size", 64), ("training", "n_envs", 1), ("model", "n_steps", 8))
"""Settings that are tried at half, a quarter and so on, down to these, where something does not fit."""


@dataclass(frozen=True)
class Sizes:
    """Of the data: `bars` of the run, `test` bars that are judged, `stored` numbers of the whole dataset, which is
    loaded first; and what a network is shown of it.
    """

    bars: int
    test: int
    stored: int
    seen: Seen

    @property
    def cells(self) -> int:
        return self.bars * self.seen.assets * self.seen.channels


@dataclass(frozen=True)
class Needs:
    """`memory` and `disk` by part. `smaller`: other settings, and how much memory the training takes with each."""

    memory: Mapping[str, int]
    disk: Mapping[str, int]
    smaller: Callable[[], Iterator[tuple[str, int, int]]]

    @property
    def peak(self) -> int:
        return sum(self.memory.values())

    @property
    def written(self) -> int:
        return sum(self.disk.values())

    def require_memory(self, limit: Limit, held: int = 0) -> None:
        """Raises ConfigFault with one sentence where what is still to be taken, beside what is `held`, is over."""
        if self.peak - held <= limit.bytes:
            return
        part = max((name for name in self.memory if FIELDS[name]), key=lambda name: self.memory[name])
        more = " more" if held else ""
        said = f"This training needs about {gib(self.peak - held)}{more} of memory, and {limit.of} {gib(limit.bytes)}"
        field, advice = self._advice(limit.bytes + held, part)
        raise ConfigFault({field: [f"{said}; {gib(self.memory[part])} of it are the {part}. {advice}"]})

    def require_disk(self, free: int) -> None:
        """Raises ConfigFault with one sentence where the run directory would not fit."""
        if self.written <= free:
            return
        part = max(self.disk, key=lambda name: self.disk[name])
        said = f"This training writes about {gib(self.written)}, and {gib(free)} of the disk are free"
        field = {"waterfall": "evaluation.waterfall", "curves": "model.n_steps"}.get(part, "model.net_arch")
        raise ConfigFault(
            {field: [f"{said}; {gib(self.disk[part])} of it are the {part}. Free some, or ask for less."]}
        )

    def _advice(self, limit: int, part: str) -> tuple[str, str]:
        for field, value, peak in self.smaller():
            if peak <= limit:
                return field, f"With {field} {value:,} it would need {gib(peak)} in all."
        return FIELDS[part], f"Less in {FIELDS[part]} helps; no half of batch_size, n_envs or n_steps is enough."


def gib(count: int) -> str:
    """For people."""
    return f"{count / 2**30:,.1f} GiB" if count >= 1 << 30 else f"{count / MIB:,.0f} MiB"


def sizes_of(config: TrainConfig, entry: DatasetEntry, *, bars: int, test: int, features: int) -> Sizes:
    """Of a training on `bars` bars of a stored dataset, `test` of them judged, with so many features."""
    symbols = config.dataset.symbols or entry.symbols
    execution, episode, guards = config.exec, config.episode, config.guards
    orders_live = execution.latency_bars > 0 or execution.remainder == "carry" or execution.order_type == "limit"
    per_asset = 1 + (episode.max_step_change is not None) + (episode.min_hold_bars > 0) + orders_live
    book = BOOK + (guards.daily_loss_limit is not None or guards.max_drawdown is not None)
    discrete = episode.mapping_mode == "discrete"
    seen = Seen(
        assets=len(symbols),
        channels=features + config.regime.n_states * config.regime.enabled,
        lookback=config.features.lookback,
        portfolio=book + per_asset * len(symbols),
        scores=(3 if config.margin.allow_short else 2) if discrete else 1,
        cash=int(episode.mapping_mode == "simplex_cash"),
        noise=not discrete,
    )
    stored = entry.n_bars * len(entry.symbols) * (len(entry.fields) + len(entry.actions))
    return Sizes(bars, test, stored, seen)


def needs_of(config: TrainConfig, sizes: Sizes) -> Needs:
    """What one training takes, of one of its seeds."""
    return Needs(_memory(config, sizes), _disk(config, sizes), lambda: _smaller(config, sizes))


def _memory(config: TrainConfig, sizes: Sizes) -> dict[str, int]:
    """The parts of the largest of four moments: features are made, windows are prepared, a step, the judgement."""
    seen, cells = sizes.seen, sizes.cells
    prices = 8 * sizes.stored + BAR * sizes.bars * seen.assets
    kept = {"libraries": LEARNING, "prices": prices, "features": CELL_KEPT * cells}
    weight = WEIGHT + JOINED * (config.model.policy == "mlp")
    learned = kept | {"rollout": _rollout(config, seen), "network": weight * weight_count(config.model, seen)}
    sweeps = config.model.policy not in ("window_cnn", "window_lstm")
    judging = JUDGING + OPTIMISING * bool(OPTIMISED & {*config.evaluation.baselines})
    moments: list[dict[str, int]] = [
        kept | {"features": (CELL_KEPT + CELL_MADE) * cells},
        learned | {"features": (CELL_KEPT + CELL_SPECTRUM * sweeps) * cells},
        learned | {"features": (CELL_KEPT + CELL_SWEPT * sweeps) * cells, "gradient step": _step(config, sizes)},
        kept | {"libraries": judging, "judgement": (CELL_MADE + CELL_KEPT) * cells + _dates(config, sizes)},
    ]
    return max(moments, key=lambda parts: sum(parts.values()))


def _rollout(config: TrainConfig, seen: Seen) -> int:
    """rl.rollout.Rollout, and what the curves' histograms take of it."""
    samples = config.model.n_steps * config.training.books
    return samples * (40 + 4 * seen.portfolio + 12 * seen.outputs + 8 * seen.assets)


def _dates(config: TrainConfig, sizes: Sizes) -> int:
    """What the policy that is judged makes of dates."""
    model, assets = config.model, sizes.seen.assets
    flat = model.policy == "mlp"
    width = (list(model.net_arch) or [sizes.seen.outputs])[0] if flat else model.features_dim * assets
    return min(DATES, 4 * width * sizes.bars)


def _step(config: TrainConfig, sizes: Sizes) -> int:
    """One gradient step: what is kept and moved of its samples, and what the dates show, with their gradients."""
    model, assets = config.model, sizes.seen.assets
    batch = min(model.batch_size, model.n_steps * config.training.books)
    widths = list(model.net_arch) or [1]
    if model.policy == "mlp":
        first, rows, deeper, series = 2 * widths[0], batch, 2 * sum(widths[1:]), 1
    else:
        first, rows, deeper, series = model.features_dim, batch * assets, sum(widths), assets
    samples = 4 * rows * (2 * first + deeper + TRANSIENT * max(first, *widths))
    dates = SWEPT * first * sizes.bars * series
    if model.policy == "window_cnn":
        wide = sum(model.channels) + 2 * max(model.channels) + first
        dates = int(CONVOLVED * wide) * sizes.bars * series
    if model.policy == "window_lstm":
        dates = RECURRED + SWEPT * first * min(batch, sizes.bars) * series
    if model.policy == "set_attention":
        dates += 12 * first * min(batch, sizes.bars) * series
    return samples + 4 * dates


def _disk(config: TrainConfig, sizes: Sizes) -> dict[str, int]:
    """A run directory at its largest: a file is written beside and renamed, so that the largest is there once more."""
    seen, books = sizes.seen, config.training.books
    weights = weight_count(config.model, seen)
    policy = 8 * weights + 100_000
    checkpoint = 12 * weights + (24 * seen.assets + 160) * books + policy
    rollouts = math.ceil(config.training.total_timesteps / (config.model.n_steps * books))
    strategies = 1 + len(config.evaluation.baselines)
    report = strategies * sizes.test * (60 * seen.assets + 300) + 2 * MIB
    found = {"policies": 2 * policy, "checkpoints": 3 * checkpoint, "curves": rollouts * 12_000, "report": report}
    if config.evaluation.waterfall:
        found["waterfall"] = 2 * sizes.test * seen.assets * 90
    return found


def _smaller(config: TrainConfig, sizes: Sizes) -> Iterator[tuple[str, int, int]]:
    """One setting at a time, halved as long as the configuration stays a valid one."""
    for group, name, least in HALVED:
        value: int = config.training.books if name == "n_envs" else getattr(getattr(config, group), name)
        while (value := value // 2) >= least:
            changed = getattr(config, group).model_copy(update={name: value})
            other = config.model_copy(update={group: changed})
            if other.model.batch_size <= other.model.n_steps * other.training.books:
                yield f"{group}.{name}", value, sum(_memory(other, sizes).values())
