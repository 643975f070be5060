"""Whether an error of the server says that its disk is full."""

from django.db import OperationalError

from runfiles.disk import is_full


def disk_is_full(error: BaseException | None) -> bool:
    """SQLite tells of it in words alone."""
    return is_full(error) or (isinstance(error, OperationalError) and "disk is full" in str(error))
