"""Why a checkpoint cannot be used: one clause a person can act on."""


class CheckpointFault(ValueError):
    """The file is none that we wrote, or is torn; another one may do."""


class CheckpointMisfit(ValueError):
    """The file is whole, but of another training: no other one of it will do either."""
