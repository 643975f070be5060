"""The data phase of a run: its configuration, the bars that this names, and `dataset.json`, what the run was fed.

The indicators are imported only where a policy sees features: a baseline never looks at one.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from marketdata import quality
from marketdata.adjust import RECIPE, adjusted
from marketdata.bars import ACTIONS, Bars, BarsError
from marketdata.catalog import Catalog, DatasetEntry, resolve, told_as
from marketdata.config import DatasetConfig
from marketdata.config_base import ConfigFault, as_sentence, sentences
from marketdata.findings import Finding
from marketdata.store import StoreError
from runfiles import atomic, layout
from runfiles.job import Job, JobRefused

if TYPE_CHECKING:
    from marketdata.config import FeaturesConfig
    from marketdata.features import FeaturePlan, Features

Config = TypeVar("Config", bound=BaseModel)


@dataclass(frozen=True)
class Feed:
    """`bars` hold the symbols and days of `config`, which is resolved: version, symbols, dates, adjustment."""

    entry: DatasetEntry
    config: DatasetConfig
    bars: Bars
    report: quality.QualityReport

    @property
    def source_findings(self) -> list[Finding]:
        """What the source saw while it laid its rows on the calendar."""
        return [Finding.from_dict(each) for each in self.entry.findings]

    @property
    def indices(self) -> tuple[str, ...]:
        """Symbols of the run that are levels of an index and cannot be bought."""
        return tuple(symbol for symbol in self.bars.symbols if symbol in self.entry.indices)


def read_config(job: Job, model: type[Config]) -> Config:
    """`config.yaml` as that model. Raises JobRefused naming the first field that is wrong."""
    try:
        return model.model_validate(job.config)
    except ValidationError as error:
        raise JobRefused(ConfigFault(sentences(error)).first) from error


def load_feed(job: Job, config: DatasetConfig) -> Feed:
    """The bars of a run. Raises JobRefused with one sentence for what is missing, damaged or red."""
    job.events.enter("data")
    try:
        catalog = Catalog(job.datasets)
        entry = _entry(job, catalog, config)
        resolved = resolve(entry, config)
        stored = catalog.store.load(entry.version)
        raw = _narrow(stored, resolved)
        bars = adjusted(raw, resolved.adjustment or entry.adjustment)
    except ConfigFault as fault:
        raise JobRefused(fault.first) from fault
    except (StoreError, BarsError) as fault:
        raise JobRefused(as_sentence(str(fault))) from fault
    if entry.survivorship == "point_in_time" and bars.member is None:
        entry = dataclasses.replace(entry, survivorship="unknown")  # the run sets the membership aside
    report = quality.check(raw, [Finding.from_dict(each) for each in entry.findings], stored)
    feed = Feed(entry, resolved, bars, report)
    write_note(job, feed)
    if report.refusal:
        raise JobRefused(report.refusal)
    for code, sentence in report.told.items():
        job.events.warning(sentence, code=code)
    return feed


def plan_for(features: FeaturesConfig, bars: Bars) -> FeaturePlan:
    """What a policy will see of these bars."""
    from marketdata.features import plan_of

    return plan_of(features, bars)


def left_out_of_features(plan: FeaturePlan) -> list[str]:
    """A sentence where sets of features name what these data cannot give; none where they give all."""
    if not plan.left_out:
        return []
    return [f"Left out of what the policy sees, as the dataset lacks their columns: {', '.join(plan.left_out)}."]


def _entry(job: Job, catalog: Catalog, config: DatasetConfig) -> DatasetEntry:
    """By version, whatever the store calls it: names are of people, and what its owner says of it lies beside."""
    if config.version is None:
        return catalog.find(config.id)
    entry = catalog.entry(config.version, config.id)
    path = job.folder / layout.PROVENANCE
    if not path.is_file():
        return entry
    try:
        return told_as(entry, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise JobRefused(f"{layout.PROVENANCE} in the run directory is no JSON of ours.") from error


def _narrow(bars: Bars, config: DatasetConfig) -> Bars:
    if config.membership == "none" and bars.member is not None:
        bars = dataclasses.replace(bars, member=None)
    if config.symbols is not None and config.symbols != bars.symbols:
        bars = bars.select(config.symbols)
    if config.start is not None and config.end is not None:
        bars = bars.between(config.start, config.end)
    return bars


def write_note(job: Job, feed: Feed, features: Features | None = None) -> None:
    """`dataset.json`; a trainer writes it again when its features are built."""
    entry, bars = feed.entry, feed.bars
    note: dict[str, Any] = {
        "id": entry.id,
        "title": entry.title,
        "version": entry.version,
        "sha256": entry.version,
        "sha256_used": bars.content_hash(),
        "symbols": list(bars.symbols),
        "start": str(bars.session[0]),
        "end": str(bars.session[-1]),
        "n_bars": bars.n_bars,
        "fields": sorted(bars.fields),
        "adjustment": bars.adjustment,
        "calendar": bars.calendar,
        "interval": bars.interval,
        "source": entry.source,
        "as_of": entry.as_of,
        "license_note": entry.license_note,
        "survivorship": entry.survivorship,
        "indices": list(feed.indices),
        "membership": feed.config.membership,
        "adjust_recipe": RECIPE if bars.adjustment != entry.adjustment else None,
        "corporate_actions": _actions_told(entry, bars),
        "features": None if features is None else {"names": list(features.names), "sha256": features.content_hash()},
        "quality": feed.report.as_dict(),
    }
    atomic.write_json(job.folder / layout.DATASET, note)


def _actions_told(entry: DatasetEntry, bars: Bars) -> str:
    """How splits and dividends are in these prices."""
    if bars.adjustment != entry.adjustment:
        return f"prices were {bars.adjustment} adjusted here, from raw bars and recorded actions"
    if bars.adjustment != "raw":
        return f"prices are {bars.adjustment} adjusted"
    recorded = [f"{name}s" for name in ACTIONS if bars.column(name) is not None]
    return f"{' and '.join(recorded)} recorded beside raw prices" if recorded else "none recorded"
