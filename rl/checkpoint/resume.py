"""A training that goes on: which checkpoint the service has put into the run directory, and which of them is used.

`resumed/resume.json`: `{"v":1,"checkpoints":[{"file","sha256"}, …]}`, newest first; the files lie beside it.
"""

from collections.abc import Callable
from pathlib import Path

from rl.checkpoint import file
from rl.checkpoint.fault import CheckpointFault
from rl.checkpoint.file import Checkpoint
from runfiles import layout, resume
from runfiles.job import JobRefused


def found(folder: Path, warn: Callable[[str], None]) -> Checkpoint | None:
    """The newest checkpoint that can be read, None for a training that starts anew; `warn` hears of each that cannot.

    Raises JobRefused where checkpoints are named and none of them can be read.
    """
    try:
        named = resume.read(folder)
    except resume.ResumeFault as fault:
        raise JobRefused(f"{layout.RESUME}: {fault}.") from fault
    if named is None:
        return None
    refused = []
    for each in named:
        try:
            checkpoint = file.load(folder / layout.RESUMED / each.file, each.sha256)
        except CheckpointFault as fault:
            refused.append(f"the checkpoint {each.file} is not used: {fault}")
            continue
        for sentence in refused:
            warn(f"{sentence[0].upper()}{sentence[1:]}. The training goes on from the one before, of step "
                 f"{checkpoint.step:,}.")  # fmt: skip
        return checkpoint
    raise JobRefused(f"No checkpoint can be read: {'; '.join(refused)}. Start the training again.")
