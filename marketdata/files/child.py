"""`python -m marketdata.files.child FOLDER`: reads files of a stranger, in a process of its own with limits.

`FOLDER/job.json` says what is asked, `FOLDER/result.json` is the answer. The limits are set before anything that
parses is imported; the parent (`marketdata.files.supervise`) adds one of time and kills the whole group.
"""

import datetime as dt
import json
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

JOB, RESULT = "job.json", "result.json"
GIB = 1024**3
CPU_S = 60
LIMITS = {
    resource.RLIMIT_AS: 3 * GIB,
    resource.RLIMIT_CPU: CPU_S,
    resource.RLIMIT_FSIZE: GIB,
    resource.RLIMIT_NOFILE: 512,
    resource.RLIMIT_CORE: 0,
}
"""Address space and file size in bytes, seconds of processor, open files."""
WALL_S = 120
"""Seconds after which the child ends by itself, should its parent be gone."""
MEMORY = "The files need more memory than is allowed for reading them; send fewer rows or columns."


def main(argv: list[str]) -> int:
    folder = Path(argv[0])
    limit()
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    answer = answered(lambda: OPERATIONS[job["op"]](job))
    (folder / RESULT).write_text(json.dumps(answer, allow_nan=False), encoding="utf-8")
    return 0


def limit(limits: Mapping[int, int] = LIMITS, wall_s: int = WALL_S) -> None:
    """No more than is sensible, and less where the machine already says so."""
    for kind, most in limits.items():
        hard = resource.getrlimit(kind)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (least, most_hard(kind, least, hard)))
        except (ValueError, OSError):  # macOS knows some of them by name only
            if sys.platform == "linux":
                raise
    signal.alarm(wall_s)


def most_hard(kind: int, least: int, hard: int) -> int:
    """The hard limit. Of the processor's seconds it leaves two more: the soft one ends with a signal of its own, while
    the hard one kills, which nobody could tell from a kill by somebody else.
    """
    spare = 2 if kind == resource.RLIMIT_CPU else 0
    return least + spare if hard == resource.RLIM_INFINITY else min(least + spare, hard)


def answered(read: Callable[[], Any]) -> dict[str, Any]:
    """What `read` gives, or `errors` (field → sentences) of files that are refused."""
    from marketdata.files.limits import FileRefused

    try:
        return {"ok": read()}
    except FileRefused as fault:
        return {"errors": {fault.field: [str(fault)]}}
    except MemoryError:
        return {"errors": {"file": [MEMORY]}}
    except OSError as fault:
        if "memory" not in str(fault).lower() and "malloc" not in str(fault).lower():
            raise  # pyarrow's own MemoryError is one; all else is a fault of ours
        return {"errors": {"file": [MEMORY]}}


def _preview(job: dict[str, Any]) -> dict[str, Any]:
    from marketdata.files.preview import preview

    return preview(_files(job["files"]))


def _commit(job: dict[str, Any]) -> dict[str, Any]:
    from marketdata.files.column_map import DatasetRequest
    from marketdata.files.commit import commit

    request = DatasetRequest.model_validate_json(json.dumps(job["request"]))
    members = _files(job["members"])
    today = dt.date.fromisoformat(job["today"])
    return commit(_files(job["files"]), request, members[0] if members else None, Path(job["store"]), today)


def _quality(job: dict[str, Any]) -> dict[str, Any]:
    from marketdata.files.commit import stored_quality

    return stored_quality(Path(job["store"]), job["version"], job["findings"])


OPERATIONS = {"preview": _preview, "commit": _commit, "quality": _quality}


def _files(rows: list[dict[str, str]]) -> list[Any]:
    from marketdata.files.reading import Upload

    return [Upload(Path(row["path"]), row["label"]) for row in rows]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
