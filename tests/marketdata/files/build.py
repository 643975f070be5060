"""Files on disk and what they become, without the child around them."""

import datetime as dt
from pathlib import Path
from typing import Any

from marketdata.files import reading
from marketdata.files.build import Built, build
from marketdata.files.column_map import DatasetRequest
from marketdata.files.commit import members_of
from marketdata.files.guess import dialect, guess
from marketdata.files.reading import Upload

LONG = {"layout": "long", "date": "date", "symbol": "symbol", "close": "close"}
FULL = LONG | {name: name for name in ("open", "high", "low", "volume")}
PER_SYMBOL = {"layout": "per_symbol", "date": "date", "close": "close"}
WIDE = {"layout": "wide", "date": "date"}


def put(folder: Path, name: str, content: str | bytes) -> Upload:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Upload(path, name)


def request(columns: dict[str, Any], **more: Any) -> DatasetRequest:
    return DatasetRequest.model_validate({"name": "one", "as_of": dt.date(2026, 1, 2), "columns": columns} | more)


def built(folder: Path, content: str | bytes | dict[str, str], columns: dict[str, Any], *, members: str = "",
          **more: Any) -> Built:  # fmt: skip
    """Of one CSV, or of several by name; `members` is the text of a membership file."""
    named = content if isinstance(content, dict) else {"prices.csv": content}
    files = [put(folder, name, text) for name, text in named.items()]
    asked = request(columns, **more)
    tables = reading.tables(files, encoding=asked.columns.encoding, separator=asked.columns.separator)
    return build(tables, asked, members_of(put(folder, "members.csv", members)) if members else None)


def guessed(folder: Path, content: str | bytes, name: str = "prices.csv") -> Any:
    file = put(folder, name, content)
    cut = dialect(file.path, file.label)
    return guess(reading.tables([file], encoding=cut.encoding, separator=cut.separator), cut)


def sentences(found: Built) -> list[str]:
    return [finding.sentence for finding in found.report.findings]
