"""A run's bundle, opened without trusting it: a run directory, or a zip of its files under their paths in one.

A name in a zip is looked up in the layout table and never becomes a path; what the table does not know is refused, but
for what a run directory holds beside its artifacts. Every file must have the size and sha256 that `manifest.json`
names. A model may be left out, as a download without models leaves it: then its sha256 alone is known.
"""

import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runfiles import layout, manifest
from runfiles.manifest import Entry, ManifestError

MOST_MEMBERS = 10_000
MOST_BYTES = 8 << 30
NEEDED = ("config", "versions", "dataset")
"""Keys without which a run cannot be made again."""
_MEMBER = rf"{layout.MEMBERS}/(?:fold_\d{{1,3}}_)?seed_\d{{1,10}}"
_BESIDE = re.compile(rf"(?:{layout.TENSORBOARD}|{layout.RESUMED}|{_MEMBER})/.{{1,500}}\Z", re.DOTALL)
"""What is no artifact: curves, checkpoints that a training went on from, run directories of what is trained by hand."""
_POLICY = re.compile(rf"{_MEMBER}\.zip\Z")
_BLOCK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, LookupError, NotImplementedError, RuntimeError, ValueError)
"""What zipfile raises for bytes that are no zip: also IndexError and UnicodeDecodeError, in its tables of members."""


class BundleRefused(ValueError):
    """The bundle is none, or not what its manifest says; the message is one sentence."""


@dataclass(frozen=True)
class Bundle:
    """`folder` holds the files at their paths of the layout; `entries` by key, each verified but those `left_out`."""

    folder: Path
    entries: dict[str, Entry]
    left_out: frozenset[str]

    def path(self, key: str) -> Path | None:
        """Where the file of that key lies; None where the bundle has none, or left it out."""
        spec = layout.spec_for(key)
        return self.folder / spec.path if spec and key in self.entries and key not in self.left_out else None


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """The bundle at `path`, while the block lasts: a zip is unpacked beside and removed. Raises BundleRefused."""
    if path.is_dir():
        yield verified(path)
        return
    if not path.is_file():
        raise BundleRefused(f"There is no {path}; name a run directory or the zip of one.")
    with tempfile.TemporaryDirectory(prefix="stockbot-bundle-") as place:
        _unpack(path, Path(place))
        yield verified(Path(place))


def verified(folder: Path) -> Bundle:
    """A run directory whose files are those that its manifest names. Raises BundleRefused naming the first other."""
    try:
        promised = manifest.read(folder)
    except ManifestError as fault:
        raise BundleRefused(f"{layout.MANIFEST}: {fault}; only a run that ended well has a bundle.") from fault
    entries: dict[str, Entry] = {}
    left_out = set()
    for item in promised:
        key = item["key"]
        spec = layout.spec_for(key)
        if spec is None or key in entries:
            raise BundleRefused(f"{layout.MANIFEST} names {key[:80]!r}, which is no artifact, or names it twice.")
        entries[key] = item
        if not _is_there(folder, spec, item):
            left_out.add(key)
    if missing := [key for key in NEEDED if key not in entries]:
        raise BundleRefused(f"{layout.FILES[missing[0]].path} is not in the bundle; a run needs it to be made again.")
    return Bundle(folder, entries, frozenset(left_out))


def _is_there(folder: Path, spec: layout.FileSpec, promised: Entry) -> bool:
    """False for a model that was left out. Raises BundleRefused."""
    try:
        found = manifest.entry(folder, spec)
    except FileNotFoundError as error:
        if spec.kind == layout.KIND_MODEL:
            return False
        raise BundleRefused(f"{spec.path} is named by {layout.MANIFEST} and is not in the bundle.") from error
    except OSError as error:
        raise BundleRefused(f"{spec.path} cannot be read ({error.strerror}).") from error
    if (found["bytes"], found["sha256"]) != (promised["bytes"], promised["sha256"]):
        raise BundleRefused(f"{spec.path} is not the file that {layout.MANIFEST} names: its sha256 is another.")
    return True


def _unpack(path: Path, place: Path) -> None:
    """The members of a zip that are files of a run into `place`. Raises BundleRefused."""
    try:
        with zipfile.ZipFile(path) as archive:
            for member, target in _targets(archive.infolist(), shutil.disk_usage(place).free):
                _copy(archive, member, place / target)
    except BundleRefused:
        raise
    except _DAMAGED as error:
        raise BundleRefused(f"{path.name} is no zip that can be read, or is damaged ({error}).") from error
    except OSError as error:
        raise BundleRefused(f"{path.name} cannot be unpacked ({error.strerror}).") from error


def _targets(members: list[zipfile.ZipInfo], free: int) -> list[tuple[zipfile.ZipInfo, str]]:
    """Each member that is wanted, with its path of the table. Raises BundleRefused before anything is written."""
    if len(members) > MOST_MEMBERS:
        raise BundleRefused(f"The zip holds {len(members):,} members; at most {MOST_MEMBERS:,} are taken.")
    found = [(member, target) for member in members if (target := _target(member)) is not None]
    seen: set[str] = set()
    for _, target in found:
        if target in seen:
            raise BundleRefused(f"The zip holds {target} twice.")
        seen.add(target)
    size = sum(member.file_size for member, _ in found)
    if size > min(MOST_BYTES, free):
        most = f"at most {MOST_BYTES >> 20:,} are taken, and {free >> 20:,} are free"
        raise BundleRefused(f"The zip would take {size >> 20:,} MiB; {most}.")
    return found


def _target(member: zipfile.ZipInfo) -> str | None:
    """Where a member goes, from our table; None for what is passed over. Raises BundleRefused."""
    name = member.filename
    if member.is_dir() and not member.file_size:
        return None
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or member.flag_bits & 1:
        raise BundleRefused(f"The zip's member {name[:80]!r} is no regular file, or is encrypted.")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BundleRefused(f"The zip's member {name[:80]!r} is packed in a way that is not read here.")
    spec = layout.spec_at(name)
    if spec is not None:
        return spec.path
    if _POLICY.match(name):
        return name
    if _BESIDE.match(name) and ".." not in name.split("/"):
        return None
    raise BundleRefused(f"The zip holds {name[:80]!r}, which is no file of a run.")


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("xb") as stream:
        while block := source.read(_BLOCK):
            stream.write(block)
