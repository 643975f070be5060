"""Whether an error says that nothing more can be written: no space, no quota, or a limit on a file's size."""

import errno

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in _FULL
