"""What a job left behind, read and hashed from its run directory. No database here: this runs in a pool of threads."""

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marketdata.catalog import told_as
from runfiles import atomic, layout, manifest
from runfiles.plain_json import plain
from runs_app import artifacts, datasets, places, report_schema

MAX_SUMMARY = 1024 * 1024
MAX_DATASET = 16 * 1024 * 1024  # a thousand symbols with a sentence each are far below
SAID = (
    "source",
    "as_of",
    "license_note",
    "survivorship",
    "indices",
)  # the store's may be of whoever had the same bars first
_POLICY_KEYS = {"best": "best_model", "last": "model"}


@dataclass(frozen=True)
class Kept:
    """A policy that was copied out of its run directory."""

    id: uuid.UUID
    which: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Stored:
    """A dataset that the job put into the store."""

    name: str
    version: str
    title: str
    details: dict[str, Any]


@dataclass
class Harvest:
    """`fault` is a sentence when a job that said it ended well did not leave what it promised."""

    files: list[manifest.Entry] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    verdict: dict[str, Any] = field(default_factory=dict)
    baselines: dict[str, Any] = field(default_factory=dict)
    policies: list[Kept] = field(default_factory=list)
    dataset: Stored | None = None
    fault: str = ""


def gather(run_id: uuid.UUID, *, ended_well: bool, keep_policies: bool = False, dataset_name: str = "") -> Harvest:
    """Everything of a run that has ended. `keep_policies`: for a training that ended well, both of them;
    `dataset_name`: for a fetch that ended well, what it was to store.
    """
    found = Harvest()
    folder = places.run_folder(run_id)
    try:
        found.files = manifest.verified(folder) if ended_well else []
    except manifest.ManifestError as error:
        found.fault = f"The job said that it had ended well, but {error}."
    present = {item["key"] for item in found.files}
    for spec in manifest.existing(folder):
        if spec.key not in present:  # the log and the events; of a job that died, all that there is
            found.files += _hashed(folder, spec)
    _read_report(run_id, found)
    if dataset_name and not found.fault:
        _read_dataset(run_id, found, dataset_name)
    for which in _POLICY_KEYS if keep_policies else ():
        if not found.fault:
            _keep(run_id, found, which)
    return found


def cause(error: Exception) -> str:
    """For a person: a clause of our own, or the system's word for what is wrong, without its path of this machine."""
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return "a file is gone"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def is_intact(run_id: uuid.UUID, path: str, sha256: str) -> bool:
    """Whether the file at `path` below the run directory is there and has this sha256. Reads it whole."""
    try:
        with artifacts.open_path(run_id, path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def copy_verified(run_id: uuid.UUID, key: str, target: Path, sha256: str) -> int:
    """Copy an artifact to `target`, hashing on the way; bytes copied.

    Raises FileNotFoundError when it is gone, ValueError (and no target) when its content is not `sha256`.
    """
    with artifacts.open_file(run_id, key) as source:
        return write_verified(source, target, sha256)


def write_verified(source: Any, target: Path, sha256: str) -> int:
    """As `copy_verified`, from a file open for reading."""
    size, digest = 0, hashlib.sha256()
    with atomic.replacing(target) as stream:
        while block := source.read(1 << 20):
            digest.update(block)
            size += len(block)
            stream.write(block)
        if digest.hexdigest() != sha256:
            raise ValueError("the file is not the one that was kept: its sha256 differs")
    return size


def _hashed(folder: Path, spec: layout.FileSpec) -> list[manifest.Entry]:
    try:
        return [manifest.entry(folder, spec)]
    except OSError:
        return []  # gone between the look and the reading


def _read_report(run_id: uuid.UUID, found: Harvest) -> None:
    summary = _summary(run_id, "summary")
    found.metrics, found.verdict = summary.get("metrics", {}), summary.get("verdict", {})
    for item in found.files:
        baseline, _, name = item["key"].partition(".")
        if name == "summary" and (metrics := _summary(run_id, item["key"]).get("metrics")):
            found.baselines[baseline] = metrics


def _read_dataset(run_id: uuid.UUID, found: Harvest, name: str) -> None:
    """What the store says of the version that the job names, so that no row speaks of bars that are not there."""
    try:
        with artifacts.open_file(run_id, "dataset") as stream:
            note = plain(json.loads(stream.read(MAX_DATASET)))
        entry = datasets.catalog().entry(note["version"], name)
        entry = told_as(entry, {said: note[said] for said in SAID} | {"findings": note["source_findings"]})
        title, served = str(note["title"]), dict(note["served"])
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        found.fault = f"The fetch ended without its dataset in the store ({type(error).__name__})."
        return
    found.dataset = Stored(name, entry.version, title, datasets.details_of(entry) | {"served": served})


def _summary(run_id: uuid.UUID, key: str) -> dict[str, Any]:
    try:
        with artifacts.open_file(run_id, key) as stream:
            value = plain(json.loads(stream.read(MAX_SUMMARY)))
    except (OSError, ValueError, RecursionError):
        return {}  # a job that died has no report
    return report_schema.summary(value) if isinstance(value, dict) else {}


def _keep(run_id: uuid.UUID, found: Harvest, which: str) -> None:
    item = next((item for item in found.files if item["key"] == _POLICY_KEYS[which]), None)
    if item is None:
        found.fault = f"The training ended without its {which} policy."
        return
    policy_id = uuid.uuid5(run_id, which)  # the same again after a crash: no file is left over
    target = places.policy_path(policy_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        size = copy_verified(run_id, item["key"], target, item["sha256"])
    except (OSError, ValueError) as error:
        found.fault = f"The trained policy could not be kept ({cause(error)})."
        return
    found.policies.append(Kept(policy_id, which, item["sha256"], size))
