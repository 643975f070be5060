"""What a job sees of the environment of whoever starts it: a short list without keys, addresses and passwords."""

import os
from pathlib import Path

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "NUMBA_CACHE_DIR", "LD_LIBRARY_PATH",
             "CUDA_VISIBLE_DEVICES")  # fmt: skip
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def of_job(threads: str, root: Path) -> dict[str, str]:
    """`threads` of linear algebra, empty to leave each library its own count; `root` of our packages."""
    found = {name: os.environ[name] for name in INHERITED if name in os.environ}
    fixed = dict.fromkeys(THREADS, threads) if threads else {}
    return {"LANG": "C.UTF-8", **found, **fixed, "PYTHONPATH": str(root), "PYTHONHASHSEED": "0",
            "PYTHONUNBUFFERED": "1"}  # fmt: skip
