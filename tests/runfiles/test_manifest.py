"""The manifest and the outcome: what is written is read back; what is half or foreign is nothing."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from runfiles import manifest, outcome

GOOD = outcome.Outcome(v=1, end="ok", code=0, signal=None, sentence="", started="2026-01-01T00:00:00+00:00",
                       ended="2026-01-01T00:00:01+00:00", duration_s=1.0, peak_rss_mb=12.5)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text("a: 1\n")
    (tmp_path / "job.log").write_text("grows")
    (tmp_path / "stray.txt").write_text("not of the table")
    (tmp_path / "report" / "baselines" / "equal").mkdir(parents=True)
    (tmp_path / "report" / "equity.csv").write_text("time\n")
    (tmp_path / "report" / "baselines" / "equal" / "equity.csv").write_text("time,equity\n")
    (tmp_path / "report" / "baselines" / "BAD").mkdir()
    (tmp_path / "report" / "baselines" / "BAD" / "equity.csv").write_text("x")
    return tmp_path


def test_every_artifact_with_bytes_and_hash(folder: Path) -> None:
    manifest.write(folder)
    found = {entry["key"]: entry for entry in manifest.verified(folder)}
    assert set(found) == {"config", "equity", "equal.equity"}
    assert found["equal.equity"] == {"key": "equal.equity", "kind": "table", "bytes": 12,
                                     "sha256": hashlib.sha256(b"time,equity\n").hexdigest()}  # fmt: skip


def test_the_same_files_give_the_same_bytes(folder: Path) -> None:
    manifest.write(folder)
    first = (folder / "manifest.json").read_bytes()
    manifest.write(folder)
    assert (folder / "manifest.json").read_bytes() == first


def test_a_changed_or_missing_file_is_named(folder: Path) -> None:
    manifest.write(folder)
    (folder / "report" / "equity.csv").write_text("TIME\n")
    with pytest.raises(manifest.ManifestError, match=r"report/equity\.csv is not the file"):
        manifest.verified(folder)
    (folder / "report" / "equity.csv").unlink()
    with pytest.raises(manifest.ManifestError, match=r"report/equity\.csv .* cannot be read"):
        manifest.verified(folder)


@pytest.mark.parametrize("text", [
    "", "{", "[]", "{}", '{"v":2,"files":[]}', '{"v":1,"files":[{}]}', '{"v":1,"files":{"a":1}}', "[" * 100_000,
])  # fmt: skip
def test_what_is_no_manifest(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(manifest.ManifestError):
        manifest.read(folder)


def test_a_manifest_cannot_name_what_is_no_artifact(folder: Path) -> None:
    files = [{"key": "../../etc/passwd", "kind": "x", "bytes": 1, "sha256": "0"}]
    (folder / "manifest.json").write_text(json.dumps({"v": 1, "files": files}))
    with pytest.raises(manifest.ManifestError, match="no artifact"):
        manifest.verified(folder)


def test_an_outcome_is_read_back(tmp_path: Path) -> None:
    outcome.write(tmp_path, GOOD)
    assert outcome.read(tmp_path) == GOOD


@pytest.mark.parametrize("change", [
    {"v": 2}, {"end": "fine"}, {"code": "0"}, {"sentence": None}, {"started": 5}, {"duration_s": []},
])  # fmt: skip
def test_what_is_no_outcome(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / "exit.json").write_text(json.dumps(GOOD | change))
    assert outcome.read(tmp_path) is None


def test_half_an_outcome_at_every_length(tmp_path: Path) -> None:
    outcome.write(tmp_path, GOOD)
    whole = (tmp_path / "exit.json").read_bytes().rstrip()
    for length in range(len(whole)):
        (tmp_path / "exit.json").write_bytes(whole[:length])
        assert outcome.read(tmp_path) is None
