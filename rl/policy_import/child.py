"""`python -m rl.policy_import.child FOLDER`: reads a policy of a stranger, in a process of its own with limits.

`FOLDER/upload.zip` is the file; `FOLDER/result.json` the answer: notes, or the fault. Of a policy that is taken our own
members alone are left in `FOLDER/clean.zip`. Nothing here imports torch; the limits are set before anything parses.
"""

import ctypes
import json
import resource
import sys
from pathlib import Path
from typing import Any

from marketdata.files.child import GIB, RESULT, limit

UPLOAD, CLEAN = "upload.zip", "clean.zip"
MIB = 1 << 20
LIMITS = {
    resource.RLIMIT_AS: 2 * GIB,
    resource.RLIMIT_CPU: 20,
    resource.RLIMIT_FSIZE: 128 * MIB,
    resource.RLIMIT_NOFILE: 256,
    resource.RLIMIT_CORE: 0,
}
WALL_S = 30
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
DAMAGED = "the file is damaged in a way that no reader of ours knows"


def main(argv: list[str]) -> int:
    folder = Path(argv[0])
    limit(LIMITS, WALL_S)
    leave_network()
    (folder / RESULT).write_text(json.dumps(answered(folder)), encoding="utf-8")
    return 0


def leave_network() -> None:
    """Into namespaces without a network, where the machine lets us; the readers open no connection in any case."""
    if sys.platform == "linux":
        ctypes.CDLL(None).unshare(NEW_USER | NEW_NETWORK)


def answered(folder: Path) -> dict[str, Any]:
    """`{"ok": {"notes": […]}}`, or `{"ok": {"fault": {"code", "said"}}}`."""
    from rl.policy_format import container, own
    from rl.policy_format.fault import PolicyFileFault
    from rl.policy_import.reader import read_policy

    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # everything is imported: no process and no thread from here on
    try:
        document, notes = read_policy((folder / UPLOAD).read_bytes())
        (folder / CLEAN).write_bytes(container.write(own.members_of(document), own.ORDER))
    except PolicyFileFault as fault:
        return _fault(str(fault), fault.code)
    except MemoryError:
        return _fault("reading it takes more memory than is allowed", "limits")
    except Exception as error:  # the last net: whatever a hostile file finds must end as a refusal
        sys.stderr.write(f"unforeseen: {type(error).__name__}: {error}\n")
        return _fault(DAMAGED, "container")
    return {"ok": {"notes": notes}}


def _fault(said: str, code: str) -> dict[str, Any]:
    return {"ok": {"fault": {"said": said, "code": code}}}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
