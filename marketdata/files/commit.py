"""From files to a stored version: read, build, check, and only then put. Runs in the child only."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from marketdata import quality
from marketdata.bars import FIELDS
from marketdata.files import guess, membership, reading
from marketdata.files.build import Built, build
from marketdata.files.column_map import SEPARATORS, DatasetRequest
from marketdata.files.limits import FileRefused
from marketdata.files.names import UPLOADED
from marketdata.files.reading import Upload
from marketdata.files.tables import read
from marketdata.findings import Finding
from marketdata.index_symbols import index_symbols
from marketdata.store import EntryMeta, Store, Survivorship

MOST_NAMED = 12


def commit(
    files: Sequence[Upload], request: DatasetRequest, members: Upload | None, store: Path, today: dt.date
) -> dict[str, Any]:
    """Version, what a row keeps of it, and the report. A red report stores nothing: `version` is then empty."""
    built = built_of(files, request, members)
    _check_as_of(built, request.as_of, today)
    _check_indices(built, request.indices)
    report = built.report.as_dict()
    if built.report.level == "red":
        return {"version": "", "report": report}
    version = Store(store).put(built.bars, shared_meta(built))
    bars = built.bars
    details = {
        "symbols": list(bars.symbols), "start": str(bars.session[0]), "end": str(bars.session[-1]),
        "n_bars": bars.n_bars, "fields": [name for name in FIELDS if name in bars.fields],
        "adjustment": bars.adjustment, "as_of": request.as_of.isoformat(), "survivorship": survivorship(built),
        "findings": [finding.as_dict() for finding in built.source_findings],
        "indices": list(index_symbols(bars.symbols, request.indices)),
    }  # fmt: skip
    return {"version": version, "report": report, "details": details}


def built_of(files: Sequence[Upload], request: DatasetRequest, members: Upload | None) -> Built:
    columns = request.columns
    tables = reading.tables(files, encoding=columns.encoding, separator=columns.separator)
    return build(tables, request, None if members is None else members_of(members))


def members_of(file: Upload) -> dict[str, list[membership.Interval]]:
    """The membership file, its encoding, separator and date order found out; days must not be ambiguous."""
    try:
        cut = guess.dialect(file.path, file.label)
        table = read(file.path, file.label, encoding=cut.encoding, separator=SEPARATORS[cut.separator])
    except FileRefused as fault:
        raise FileRefused(str(fault), membership.FIELD) from fault
    return membership.intervals(table, "ymd")


def survivorship(built: Built) -> Survivorship:
    """`point_in_time` where a membership says who belonged when; nobody knows of the names that a file left out."""
    return "unknown" if built.bars.member is None else "point_in_time"


def shared_meta(built: Built) -> EntryMeta:
    """What lies beside the bars is the same whoever stored them: names, notes and rights are in the rows of people."""
    return EntryMeta(
        id=UPLOADED,
        title="Uploaded prices",
        survivorship=survivorship(built),
        as_of=str(built.bars.session[-1]),
        source="an upload",
        license_note="",
        indices=index_symbols(built.bars.symbols),
    )


def stored_quality(store: Path, version: str, findings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The report on a stored version, as a run on it would make it."""
    bars = Store(store).load(version)
    return quality.check(bars, [Finding.from_dict(each) for each in findings]).as_dict()


def _check_indices(built: Built, indices: Sequence[str]) -> None:
    strange = next((symbol for symbol in indices if symbol not in built.bars.symbols), None)
    if strange is not None:
        held, more = built.bars.symbols[:MOST_NAMED], len(built.bars.symbols) - MOST_NAMED
        named = ", ".join(held) + (f" and {more} more" if more > 0 else "")
        raise FileRefused(f"{strange} is not among the symbols of the files, which are {named}.", "indices")


def _check_as_of(built: Built, as_of: dt.date, today: dt.date) -> None:
    last: dt.date = built.bars.session[-1].item()
    if as_of < last:
        raise FileRefused(f"Must be on or after {last}, the last day of the prices.", "as_of")
    if as_of > today:
        raise FileRefused(
            f"Must be on or before {today}: it is the day on which the source gave these prices.", "as_of"
        )
