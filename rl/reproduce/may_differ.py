"""What two runs of the same may differ in, each with the reason. All else that a run leaves must be the same bytes."""

from typing import Final

FILES: Final[dict[str, str]] = {
    "config": "it is what is run again",
    "command": "it names the run and its folder",
    "versions": "it says with what, and when, the run was made; what differs in it is told as the likely cause",
    "provenance": "it is what the dataset's owner said, and is given to the second run as it is",
    "imported_result": "it is given to the second run as it is",
    "judged_model": "it is given to the second run as it is",
    "job_log": "it grows while a run ends, and tells clock and speed",
    "events": "they carry the clock, and come once a second",
    "checkpoint": "which are kept depends on when a training was told to stop; they name code and packages, and hold "
    "the clock of the curves' next row",
    "checkpoint_before": "as the last one",
    "manifest": "it repeats the sha256 of all others",
}
"""By key of the layout. Of a backtest `judged_models` is given as it is too; a training makes it, and must agree."""

PROGRESS: Final[dict[str, str]] = {
    "time/fps": "steps a second of this machine, as busy as it was",
    "time/time_elapsed": "seconds since the process began",
    "time/peak_mb": "memory of the process, with all that its libraries keep",
}
"""By column of `progress.csv`."""
