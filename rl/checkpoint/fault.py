"""Why a checkpoint cannot be used: one clause a person can act on.

No ValueError: a training takes one of those for a divergence.
"""


class CheckpointFault(Exception):
    """The file is none that we wrote, or is torn; another one may do."""


class CheckpointMisfit(Exception):
    """The file is whole, but of another training: no other one of it will do either."""
