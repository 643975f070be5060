"""`python -m backtest.foreign.child FOLDER`: reads the table of a stranger, in a process of its own with limits.

`FOLDER/job.json` names the file and how it is to be read; `FOLDER/result.json` is the answer, and `FOLDER/rows.npz`
holds the rows. The limits are set before anything that parses is imported.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

from marketdata.files.child import GIB, JOB, LIMITS, RESULT, answered, limit

ROWS = "rows.npz"
OURS = LIMITS | {resource.RLIMIT_AS: GIB, resource.RLIMIT_CPU: 30, resource.RLIMIT_FSIZE: GIB // 8}
"""Two columns of a CSV of 16 MiB need 0.3 GiB of memory and 2 s."""
WALL_S = 60


def main(argv: list[str]) -> int:
    folder = Path(argv[0])
    limit(OURS, WALL_S)
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    answer = answered(lambda: _read(folder, job))
    (folder / RESULT).write_text(json.dumps(answer, allow_nan=False), encoding="utf-8")
    return 0


def _read(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """What of the rows is no array. Raises FileRefused."""
    import numpy as np

    from backtest.config import ResultConfig
    from backtest.foreign import table
    from marketdata.files.limits import FileRefused

    try:
        rows = table.read(Path(job["path"]), ResultConfig.model_validate_json(json.dumps(job["result"])))
    except table.ResultRefused as fault:
        raise FileRefused(str(fault)) from fault
    arrays: dict[str, Any] = {"days": rows.days, "values": rows.values}
    arrays |= {} if rows.closes is None else {"closes": rows.closes}
    np.savez(folder / ROWS, **arrays)
    return {"kind": rows.kind, "date": rows.date, "value": rows.value}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
