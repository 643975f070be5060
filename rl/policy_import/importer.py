"""A policy of a stranger becomes a policy file of ours: read by a child with limits, built, tried, written anew.

The bytes that came are only ever opened by the child (rl.policy_import.child), and nothing of them is kept.
"""

import dataclasses
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from marketdata.config_base import ConfigFault
from marketdata.files import supervise
from marketdata.files.child import MEMORY
from rl import policy_file
from rl.policy_format import container, own
from rl.policy_format.build import build_policy, check_acts
from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.own import PolicyDocument
from rl.policy_format.spec import PolicySpec
from rl.policy_import.child import CLEAN, UPLOAD
from rl.policy_import.reader import MOST_BYTES
from rl.policy_seen import Seen

COMMAND: Final = (*supervise.COMMAND[:-1], "rl.policy_import.child")
_SAID: Final = {
    supervise.SLOW: "reading it takes longer than is allowed",
    MEMORY: "reading it takes more memory than is allowed",
    supervise.CUT_OFF: "the reading was cut off, which says nothing of the file; try again",
}


@dataclass(frozen=True)
class Imported:
    """The policy file to keep, what it holds, and notes on what was left out."""

    content: bytes
    spec: PolicySpec
    notes: tuple[str, ...]


def import_policy(content: bytes, seen: Seen | None = None) -> Imported:
    """The policy in `content`, rewritten. `seen`: what it is shown of a market, for a file that does not tell.

    Raises PolicyFileFault with the reason, supervise.Busy where too many files are being read.
    """
    if len(content) > MOST_BYTES:
        raise PolicyFileFault(f"the file is larger than {MOST_BYTES >> 20} MiB", "too_large")
    return rewritten(*_read(content), seen)


def rewritten(document: PolicyDocument, notes: tuple[str, ...], seen: Seen | None = None) -> Imported:
    """What was read, built, tried and written anew. Raises PolicyFileFault."""
    document = _shown(document, seen)
    policy = build_policy(document.spec, document.weights)
    check_acts(policy)
    return Imported(policy_file.pack_document(document, policy), document.spec, notes)


def _read(content: bytes) -> tuple[PolicyDocument, tuple[str, ...]]:
    with tempfile.TemporaryDirectory(prefix="policy-") as name:
        folder = Path(name)
        (folder / UPLOAD).write_bytes(content)
        try:
            answer = supervise.run(folder, {}, COMMAND)
        except ConfigFault as fault:
            said = _SAID.get(fault.errors["file"][0], "it could not be read")
            raise PolicyFileFault(said, "limits") from fault
        if refused := answer.get("fault"):
            raise PolicyFileFault(str(refused["said"]), str(refused["code"]))
        clean = (folder / CLEAN).read_bytes()
    return own.read(container.read(clean, own.KEPT)), tuple(answer["notes"])


def _shown(document: PolicyDocument, seen: Seen | None) -> PolicyDocument:
    """The policy with the members that tell what it sees, in the one form that we write."""
    if seen is not None:
        document = dataclasses.replace(document, documents=seen.documents())
    if not document.documents:
        return document
    return dataclasses.replace(document, documents=Seen.of(document).documents())
