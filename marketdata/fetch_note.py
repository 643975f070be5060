"""`dataset.json` of a fetch: what was stored, who served which symbol, and what must be known of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from marketdata.bars import ACTIONS, Bars
from marketdata.fetch_chain import Chain, Served
from marketdata.quality import QualityReport
from marketdata.store import EntryMeta
from runfiles import atomic, layout


def write_note(
    folder: Path,
    bars: Bars,
    meta: EntryMeta,
    version: str,
    report: QualityReport,
    chain: Chain,
    served: Sequence[Served],
) -> None:
    """The keys of every run's `dataset.json`, with `served`, `asked` and `left_out`."""
    note: dict[str, Any] = {
        "id": meta.id,
        "title": meta.title,
        "version": version,
        "sha256": version,
        "symbols": list(bars.symbols),
        "start": str(bars.session[0]),
        "end": str(bars.session[-1]),
        "n_bars": bars.n_bars,
        "fields": sorted(bars.fields),
        "actions": [name for name in ACTIONS if bars.column(name) is not None],
        "adjustment": bars.adjustment,
        "calendar": bars.calendar,
        "interval": bars.interval,
        "source": meta.source,
        "as_of": meta.as_of,
        "license_note": meta.license_note,
        "survivorship": meta.survivorship,
        "indices": list(meta.indices),
        "quality": report.as_dict(),
        "source_findings": [dict(each) for each in meta.findings],
        "served": {each.symbol: each.key for each in served},
        "asked": {each.symbol: each.asked for each in served},
        "left_out": {symbol: " ".join(why) for symbol, why in chain.failed.items()},
    }
    atomic.write_json(folder / layout.DATASET, note)
