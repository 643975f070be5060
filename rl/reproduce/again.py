"""Runs a bundle's job again: the same configuration, seeds and data, in a fresh process and a folder of its own."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketdata.catalog import Catalog
from rl.reproduce.kinds import Kind, kind_of
from runfiles import job, layout, outcome, strict_json, yamlio
from runfiles.bundle import Bundle, BundleRefused
from runfiles.environment import of_job
from runfiles.versions import ROOT


class RunFailed(Exception):
    """The second run did not end well; the message is its sentence."""


@dataclass(frozen=True)
class Plan:
    """What is run again: `config` with the dataset's version said outright; `threads` of the first run, "" unsaid."""

    kind: Kind
    config: dict[str, Any]
    threads: str


def plan_of(bundle: Bundle, datasets: Path) -> Plan:
    """Raises BundleRefused for a bundle that is not whole, and where the store lacks its version of the data."""
    try:
        config = job.read_config(bundle.folder)
    except job.JobRefused as fault:
        raise BundleRefused(str(fault)) from fault
    note, made_with = read_json(bundle, "dataset"), read_json(bundle, "versions")
    config = _with_version(config, note)
    _require_data(config["dataset"], datasets)
    return Plan(kind_of(config, bundle), config, str(made_with.get("threads", "")))


def read_json(bundle: Bundle, key: str) -> dict[str, Any]:
    """A JSON object of the bundle. Raises BundleRefused."""
    spec = layout.FILES[key]
    try:
        value = strict_json.read((bundle.folder / spec.path).read_bytes(), spec.path)
    except (OSError, strict_json.NotStrictJSON) as fault:
        raise BundleRefused(f"{spec.path} of the bundle cannot be read.") from fault
    if not isinstance(value, dict):
        raise BundleRefused(f"{spec.path} of the bundle is no JSON object.")
    return value


def _with_version(config: dict[str, Any], note: dict[str, Any]) -> dict[str, Any]:
    """The configuration on exactly the version that the run was fed."""
    asked, version = config.get("dataset") or {}, note.get("version")
    if not isinstance(asked, dict) or not isinstance(version, str):
        raise BundleRefused(f"{layout.CONFIG} or {layout.DATASET} of the bundle does not name its dataset.")
    if asked.get("version") not in (None, version):
        said = f"{layout.CONFIG} asks for version {str(asked['version'])[:12]} of the dataset"
        raise BundleRefused(f"{said}, and {layout.DATASET} says that {version[:12]} was used; one of them is not its.")
    return config | {"dataset": asked | {"id": asked.get("id") or note.get("id"), "version": version}}


def _require_data(asked: dict[str, Any], datasets: Path) -> None:
    catalog = Catalog(datasets)
    if catalog.store.has(asked["version"]):
        return  # its arrays are hashed when they are loaded
    held = [entry.version[:12] for entry in catalog.entries() if entry.id == asked["id"]]
    here = f"holds {', '.join(held)} of it" if held else "holds none of that name"
    raise BundleRefused(
        f"The bundle was made with version {asked['version'][:12]} of {asked['id']}; the store {here}. Another version "
        "is other data: store the same bars, or name the store that has them with --datasets."
    )


def prepare(bundle: Bundle, plan: Plan, folder: Path) -> None:
    """Make `folder` a run directory of the same job, with the files that it is given."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / layout.CONFIG).write_text(
        yamlio.dump({"schema_version": layout.SCHEMA_VERSION, **plan.config}), encoding="utf-8"
    )
    for key in ("provenance", *plan.kind.given):
        if (path := bundle.path(key)) is not None:
            shutil.copyfile(path, folder / layout.FILES[key].path)
    if "judged_models" in plan.kind.given:
        for path in sorted(bundle.folder.glob(f"{layout.MEMBERS}/*.zip")):
            (folder / layout.MEMBERS).mkdir(exist_ok=True)
            shutil.copyfile(path, folder / layout.MEMBERS / path.name)


def run(plan: Plan, folder: Path, datasets: Path) -> None:
    """The job, in the environment that the server gives one, its output in `job.log` of `folder`.

    Raises RunFailed; where this process is ended, so is the job.
    """
    command = [sys.executable, "-P", "-m", plan.kind.entry, str(folder), "--datasets", str(datasets)]
    with (folder / layout.JOB_LOG).open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=of_job(plan.threads, ROOT), stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            _, said = process.communicate()
        finally:
            process.kill()
            process.wait()
        log.write(said)
    if process.returncode != outcome.CODE_OK:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        raise RunFailed(lines[-1] if lines else f"the process ended with code {process.returncode}")
