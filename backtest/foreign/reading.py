"""The rows of a result's file, read by a child with limits: a stranger's bytes are parsed nowhere else."""

import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from backtest.config import ResultConfig
from backtest.foreign.child import ROWS
from backtest.foreign.table import ResultRefused, Rows
from marketdata.config_base import ConfigFault
from marketdata.files import supervise
from marketdata.files.child import MEMORY

COMMAND: Final = (*supervise.COMMAND[:-1], "backtest.foreign.child")
_SAID: Final = {
    MEMORY: "Reading the file takes more memory than is allowed; write its two columns as CSV.",
    supervise.SLOW: "Reading the file takes longer than is allowed; write its two columns as CSV.",
    supervise.CUT_OFF: "The reading was cut off, which says nothing of the file; import it again in a moment.",
    supervise.BROKEN: "The file could not be read; it may be damaged.",
}


def read(path: Path, chosen: ResultConfig) -> Rows:
    """The two columns of a CSV or Parquet file. Raises ResultRefused."""
    with tempfile.TemporaryDirectory(prefix="result-") as name:
        folder = Path(name)
        job = {"path": str(path.resolve()), "result": chosen.model_dump(mode="json")}
        try:
            told = supervise.run(folder, job, COMMAND)
        except ConfigFault as fault:
            said = fault.errors["file"][0]
            raise ResultRefused(_SAID.get(said, said)) from fault
        with np.load(folder / ROWS, allow_pickle=False) as held:
            closes = held.get("closes")
            return Rows(told["kind"], told["date"], told["value"], held["days"], closes, held["values"])
