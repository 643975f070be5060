"""`python -m rl.import_policy FILE OUT [--observation POLICY]`: a policy made elsewhere, as a policy file of ours.

FILE is a zip of stock SB3's `PPO.save`, or a policy file. `--observation` takes what the policy sees of a market
(features, scale, symbols, days that were learned from) from another policy file; without it a policy of stock SB3 can
be loaded and exported, not judged. FILE is only read by a child with limits; nothing in it is unpickled, and none of
its bytes are in OUT. Exit code 2 and one line `CODE: sentence` for a file that is refused.
"""

import argparse
import sys
from pathlib import Path

from marketdata.files.supervise import Busy
from rl.policy_format.fault import PolicyFileFault
from rl.policy_import.importer import Imported, import_policy
from rl.policy_import.reader import MOST_BYTES
from rl.policy_seen import Seen, seen_in
from runfiles import atomic
from runfiles.hashes import sha256_of

REFUSED = 2


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m rl.import_policy", description="Take a policy made elsewhere.")
    parser.add_argument("file", type=Path, help="a zip of stock PPO.save, or a policy file")
    parser.add_argument("out", type=Path, help="the policy file to write")
    parser.add_argument("--observation", type=Path, help="a policy file that sees what this one sees")
    asked = parser.parse_args(argv)
    try:
        seen = _seen(asked.observation) if asked.observation else None
        imported = import_policy(read_file(asked.file), seen)
    except PolicyFileFault as fault:
        sys.stderr.write(refusal(fault))
        return REFUSED
    except Busy:
        sys.stderr.write("limits: Other files are being read; try again in a moment.\n")
        return REFUSED
    atomic.write_bytes(asked.out, imported.content)
    sys.stdout.write(_told(imported))
    return 0


def refusal(fault: PolicyFileFault) -> str:
    """One line for people and programs."""
    said = str(fault)
    return f"{fault.code}: {said[:1].upper()}{said[1:]}.\n"


def _seen(path: Path) -> Seen:
    """What another policy sees; that file is read as any that comes from outside."""
    stored = import_policy(read_file(path))
    return seen_in(stored.content)


def read_file(path: Path) -> bytes:
    """At most one byte more than may be. Raises PolicyFileFault where there is no such file."""
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise PolicyFileFault(f"{path.name} cannot be read", "unreadable") from error


def _told(imported: Imported) -> str:
    spec = imported.spec
    lines = [f"{spec.policy} with layers {spec.net_arch['pi']}, trained for {spec.steps:,} steps by SB3 {spec.sb3}"]
    lines += [f"note: {note}" for note in imported.notes]
    return "\n".join([*lines, f"sha256 {sha256_of(imported.content)}"]) + "\n"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
