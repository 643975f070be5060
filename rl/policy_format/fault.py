"""The one refusal of a policy file: one clause a person can act on, and a code that a program can."""

from typing import Final

CODES: Final = {
    "unreadable": "the file cannot be read, or is not the one that was kept",
    "too_large": "the file, a member or a list in it is larger than a policy file may be",
    "container": "the zip can be read in more than one way, is damaged, or holds what no policy file holds",
    "missing": "a member or a field that must be there is not",
    "json": "a member is not strict JSON, or a field of it is not what it must be",
    "version": "the file is of a version that is not read",
    "suspicious_pickle": "a pickle in the file names something that no plain PPO policy needs",
    "pickle": "a pickle in the file does what no saved policy does",
    "unsupported": "a real policy, of a kind that is not read",
    "space": "an observation or action space is none that is read",
    "weights": "the weights cannot be read, are not finite, or do not fit the network",
    "observation": "what the policy says that it sees does not fit what it takes, or what it is shown",
    "limits": "reading took more time or memory than is allowed",
}
"""Every code, and when it is given."""


class PolicyFileFault(ValueError):
    """The file is not the policy that was asked for; the message is one clause without a full stop."""

    def __init__(self, said: str, code: str) -> None:
        self.code = code
        super().__init__(said)
