"""`python -m tests.rl.policy_import.fuzz [COUNT] [SEED]`: broken zips through an import, in one process.

Every unpickler raises, and a payload would leave a marker file. Exit code 1 where something ran, where anything but the
one refusal came out, or where the slowest of a hundred takes 50 ms or more. `make fuzz` runs 100,000.
"""

import collections
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field

import numpy as np

from rl.policy_format.fault import PolicyFileFault
from rl.policy_import.importer import rewritten
from rl.policy_import.reader import read_policy
from tests.rl.policy_import.hostile import MARKER
from tests.rl.policy_import.mutations import mutants
from tests.rl.without_unpicklers import forbid

SLOWEST_MS = 50.0


@dataclass
class Found:
    """How the zips ended, milliseconds of processor for each, and what no reader may do."""

    ends: collections.Counter[str] = field(default_factory=collections.Counter)
    times: list[float] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)

    @property
    def p99(self) -> float:
        return float(np.percentile(self.times, 99))


def fuzz(count: int, seed: int) -> Found:
    """Read `count` broken zips, and write anew what was taken; call `forbid` before it."""
    found = Found()
    for number, content in enumerate(mutants(count, seed)):
        try:
            found.ends[ended(content, found.times)] += 1
        except BaseException as error:
            found.crashes.append(f"zip {number} of seed {seed}: {type(error).__name__}: {error}")
        if MARKER.exists():
            found.crashes.append(f"zip {number} of seed {seed} was executed")
            MARKER.unlink()
    return found


def ended(content: bytes, times: list[float]) -> str:
    """How an import ends; only the reader is timed, torch is not."""
    began = time.process_time()
    try:
        document, notes = read_policy(content)
    except PolicyFileFault as fault:
        return fault.code
    finally:
        times.append((time.process_time() - began) * 1e3)
    try:
        rewritten(document, tuple(notes))
    except PolicyFileFault as fault:
        return f"built, then {fault.code}"
    return "taken"


def main(argv: list[str]) -> int:
    count, seed = int(argv[0]) if argv else 100_000, int(argv[1]) if argv[1:] else 0
    next(mutants(1, seed))  # the real saves that all others are made of, while unpicklers still work
    forbid()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        found = fuzz(count, seed)
        os.chdir("/")
    slow = found.p99 >= SLOWEST_MS
    sys.stdout.write(f"{count:,} zips of seed {seed}: {dict(found.ends.most_common())}\n")
    sys.stdout.write(f"p50 {np.median(found.times):.2f} ms, p99 {found.p99:.2f} ms, most {max(found.times):.1f} ms\n")
    sys.stdout.write("\n".join([*found.crashes[:20], f"{len(found.crashes)} crashes or executions"]) + "\n")
    return int(bool(found.crashes) or slow)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
