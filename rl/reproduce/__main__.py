"""`python -m rl.reproduce BUNDLE`: runs a bundle again and says whether the same came of it.

| exit code | meaning                                                                                           |
|-----------|---------------------------------------------------------------------------------------------------|
| 0         | identical                                                                                         |
| 1         | not identical; the first difference is named                                                      |
| 2         | a wrong command line                                                                              |
| 3         | refused: no bundle, not what its manifest says, or the store lacks its version of the data        |
| 4         | the second run did not end well                                                                   |
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rl.checkpoint.made_with import changes, of
from rl.reproduce import again
from rl.reproduce.compare import Found, compare
from runfiles.bundle import Bundle, BundleRefused, opened
from runfiles.versions import PACKAGES, ROOT, versions

IDENTICAL, DIFFERENT, REFUSED, FAILED = 0, 1, 3, 4


def main(argv: Sequence[str]) -> int:
    """The exit code."""
    asked = _arguments(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the second run is ended with us
    try:
        with opened(asked.bundle) as bundle, _folder(asked.out) as folder:
            return _reproduce(bundle, folder, asked.datasets.resolve())
    except BundleRefused as fault:
        sys.stderr.write(f"refused: {fault}\n")
        return REFUSED


def _reproduce(bundle: Bundle, folder: Path, datasets: Path) -> int:
    plan = again.plan_of(bundle, datasets)
    _say(f"running the {plan.kind.name} again, on {plan.config['dataset']['id']}")
    causes = likely_causes(again.read_json(bundle, "versions"), plan.threads)
    if causes:
        _say(f"made with another {'; '.join(causes)}: what comes of it need not be the same")
    again.prepare(bundle, plan, folder)
    try:
        again.run(plan, folder, datasets)
    except again.RunFailed as fault:
        sys.stderr.write(f"failed: {fault}\n")
        return FAILED
    return _tell(compare(bundle, folder, plan.kind), causes)


def likely_causes(before: dict[str, Any], threads: str) -> list[str]:
    """What differs between `versions.json` of the first run and this machine, in words. Raises BundleRefused."""
    try:
        then = of(before, PACKAGES)
    except (KeyError, TypeError, AttributeError) as fault:
        raise BundleRefused("versions.json of the bundle is not in the form that this version reads.") from fault
    now = versions() | {"threads": threads}
    found = changes(then, of(now, PACKAGES))
    cpus = [str(one.get("cpus")) for one in (before["machine"], now["machine"])]
    if not threads and cpus[0] != cpus[1]:
        found.append(f"count of processors {cpus[0]}, now {cpus[1]}, as its threads were not fixed")
    return found


def _tell(found: Found, causes: list[str]) -> int:
    if not found.parts:
        _say(f"identical: {found.compared} files; left out are clocks, speeds and what names the run and the machine")
        return IDENTICAL
    _say(f"different: {found.parts[0]}")
    for part in found.parts[1:]:
        _say(f"  {part}")
    _say(f"  {len(found.differing)} of {found.compared} files differ")
    known = f"the likely cause is another {'; '.join(causes)}" if causes else "code, packages and machine are the same"
    _say(f"  {known}")
    return DIFFERENT


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    """Where the second run lies: a folder that is kept, or one that goes."""
    if out is not None:
        yield out.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="stockbot-again-") as place:
        yield Path(place) / "run"


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rl.reproduce", description="Run a bundle again and compare.")
    parser.add_argument("bundle", type=Path, help="a run directory, or a zip of one")
    media = Path(os.environ.get("STOCKBOT_MEDIA") or ROOT / "media")
    parser.add_argument("--datasets", type=Path, default=media / "datasets", help="root of the dataset store")
    parser.add_argument("--out", type=Path, help="keep the second run in this folder; must be new or empty")
    found = parser.parse_args(argv)
    if found.out is not None and found.out.exists() and (not found.out.is_dir() or any(found.out.iterdir())):
        parser.error(f"{found.out} is not empty; name a new folder")
    return found


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
