"""Hostile files through the real child: each ends in one sentence, quickly, and nothing of it runs here."""

import io
import os
import pickle
import signal
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marketdata.config_base import ConfigFault
from marketdata.files import supervise
from tests.runs_app.datasets.made import prices

ROOT = Path(__file__).parents[3]


def ask(folder: Path, content: bytes, name: str = "a.csv", **more: Any) -> Any:
    work = folder / f"work-{time.monotonic_ns()}"
    work.mkdir()
    (folder / "0").write_bytes(content)
    return supervise.run(work, {"op": "preview", "files": [{"path": str(folder / "0"), "label": name}], **more})


def refused(folder: Path, content: bytes, name: str = "a.csv") -> str:
    with pytest.raises(ConfigFault) as fault:
        ask(folder, content, name)
    said = [text for texts in fault.value.errors.values() for text in texts]
    assert len(said) == 1 and str(folder) not in said[0] and "Traceback" not in said[0]
    return said[0]


def parquet(table: pa.Table, **options: Any) -> bytes:
    found = io.BytesIO()
    pq.write_table(table, found, **options)
    return found.getvalue()


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/stockbot-marker",)


def zipped() -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", bytes(50 << 20))
    return found.getvalue()


def lying_parquet() -> bytes:
    """A footer length that points before the file."""
    whole = parquet(pa.table({"date": ["2020-01-02"], "close": [1.0]}))
    return whole[:-8] + struct.pack("<I", 2**31) + b"PAR1"


DEEP = pa.array([[[[1]]]])
CASES: list[tuple[str, Any, str]] = [
    ("empty", b"", "is empty"),
    ("a NUL", b"date,symbol,close\n2020-01-02,A,\x001\n", "NUL character in row 2"),
    ("random bytes", np.random.default_rng(1).bytes(50_000), ""),
    ("only a header", b"date,symbol,close\n", "a header and no rows"),
    ("one column", b"date\n2020-01-02\n", "only one column"),
    ("ragged", b"date,symbol,close\n2020-01-02,A,1\n2020-01-03,A,1,9\n", "Row 3 of a.csv has 4 cells"),
    ("an open quotation", b'date,symbol,close\n2020-01-02,"A,1\n' + b"2020-01-03,A,1\n" * 1000, ""),
    ("a huge cell", b"date,symbol,close\n2020-01-02," + b"A" * 5_000_000 + b",1\n", "a cell of 5,000,000 characters"),
    ("a line longer than a block", b"date,symbol,close\n2020-01-02," + b"A" * 20_000_000 + b",1\n", ""),
    ("many columns", b",".join(b"c%d" % n for n in range(5000)) + b"\n" + b",".join([b"1"] * 5000), "5,000 columns"),
    ("names twice", b"date,close,close\n2020-01-02,1,1\n", "two columns named close"),
    ("many rows", b"date,symbol,close\n" + b"1,2,3\n" * 5_000_001, "more than 5,000,000 rows"),
    ("empty rows without end", b"date,symbol,close\n" + b"\n" * 62_000_000, "empty lines included"),
    ("a header without end", b"a" * 60_000_000, "a first line of more than"),
    ("a zip bomb", zipped, "zip archive or an Excel workbook"),
    ("gzip", b"\x1f\x8b" + bytes(100), "compressed with gzip"),
    ("a pickle", pickle.dumps(Evil()), "Python pickle, which is never read"),
    ("a pickle called csv of protocol 0", pickle.dumps(Evil(), protocol=0), ""),
    ("parquet cut short", lambda: parquet(pa.table({"close": [1.0] * 1000}))[:300], "damaged Parquet"),
    ("parquet with a lying footer", lying_parquet, "damaged Parquet"),
    ("parquet with nothing else", b"PAR1" + bytes(100) + b"PAR1", "damaged Parquet"),
    ("nested parquet", lambda: parquet(pa.table({"date": ["a"], "close": DEEP})), "flat columns are taken"),
    ("parquet without rows", lambda: parquet(pa.table({"date": pa.array([], pa.string())})), "has no rows"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_hostile_file_ends_in_one_sentence(tmp_path, content, words):
    began = time.monotonic()
    assert words in refused(tmp_path, content() if callable(content) else content)
    assert time.monotonic() - began < 20
    assert not Path("/tmp/stockbot-marker").exists()


def test_a_parquet_bomb_ends_at_the_limit_of_memory(tmp_path):
    """Five million rows of one word of 250 letters: a few kilobytes on disk, over a gigabyte in memory a column."""
    column = pa.DictionaryArray.from_arrays(np.zeros(5_000_000, np.int8), ["x" * 250])
    content = parquet(pa.table({f"c{n}": column for n in range(8)}), compression="zstd", store_schema=False)
    assert len(content) < 2_000_000
    said = refused(tmp_path, content)
    assert "memory" in said


def test_a_line_end_in_a_symbol_is_told(tmp_path):
    found = ask(tmp_path, b'date,symbol,close\n2020-01-02,"A\nB",1\n')
    assert found["findings"][0].startswith('The symbol in row 2 of a.csv is "A')


def test_a_formula_stays_a_text(tmp_path):
    """A preview shows it as it is; no spreadsheet gets it, as no symbol and no number can be one."""
    found = ask(tmp_path, b"date,symbol,close\n2020-01-02,=1+1,3\n")
    assert found["rows"] == [["2020-01-02", "=1+1", "3"]]
    assert 'The symbol in row 2 of a.csv is "=1+1"' in found["findings"][0]


def test_the_child_sees_no_secret_and_has_limits(tmp_path, monkeypatch):
    monkeypatch.setenv("STOCKBOT_SECRET_KEY", "canary")
    seen = supervise.environment(tmp_path)
    assert "canary" not in str(seen) and seen["HOME"] == str(tmp_path)
    code = ("import resource; from marketdata.files import child; child.limit();"
            "print([resource.getrlimit(kind)[0] for kind in child.LIMITS] == list(child.LIMITS.values()))")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], env=seen, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.stdout == "True\n", done.stderr


def test_nothing_that_parses_is_there_before_the_limits():
    code = "import sys, marketdata.files.child; print({'pyarrow', 'numpy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.stdout == "set()\n"


def test_a_child_that_takes_too_long_is_killed_with_its_group(tmp_path, monkeypatch):
    monkeypatch.setattr(supervise, "WALL_S", 0.05)
    began = time.monotonic()
    assert refused(tmp_path, prices().encode()) == supervise.SLOW
    assert time.monotonic() - began < 5


def test_only_so_many_read_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(supervise, "PATIENCE_S", 0.05)
    with supervise.CHILDREN, supervise.CHILDREN, pytest.raises(supervise.Busy):
        ask(tmp_path, prices().encode())
    assert ask(tmp_path, prices().encode())["n_rows"] == 274


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGKILL, supervise.CUT_OFF), (signal.SIGTERM, supervise.CUT_OFF), (signal.SIGXCPU, supervise.SLOW)],
)
def test_a_killed_child_is_not_blamed_on_the_files(tmp_path, monkeypatch, number, said):
    code = f"import os; os.kill(os.getpid(), {int(number)})"
    monkeypatch.setattr(supervise, "COMMAND", (sys.executable, "-c", code))
    assert refused(tmp_path, prices().encode()) == said


def test_the_processors_limit_ends_with_a_signal_of_its_own(tmp_path, monkeypatch):
    code = """from marketdata.files import child
child.LIMITS[child.resource.RLIMIT_CPU] = 1
child.limit()
while True: pass"""
    monkeypatch.setattr(supervise, "COMMAND", (sys.executable, "-P", "-c", code))
    assert refused(tmp_path, prices().encode()) == supervise.SLOW


def test_the_year_9999_is_told_with_its_row(tmp_path):
    moments = pa.array(["2020-01-02T00:00:00", "9999-12-31T00:00:00"]).cast(pa.timestamp("us"))
    for column in (moments, moments.cast(pa.date32())):
        found = ask(tmp_path, parquet(pa.table({"date": column, "close": [1.0, 2.0]})), "A.parquet")
        assert found["findings"] == [
            "The date in row 2 of A.parquet is 9999-12-31, and days from 1800-01-01 to 2200-12-31 are taken."
        ]


def test_more_cells_than_the_limit_are_refused_before_they_are_unpacked(tmp_path):
    column = pa.array([None] * 1_000_000, pa.float64())
    said = refused(tmp_path, parquet(pa.table({f"c{n}": column for n in range(101)})), "a.parquet")
    assert said == "a.parquet has 1,000,000 rows × 101 columns = 101,000,000 cells; at most 100,000,000 are taken."
