"""Takes a training at the end of each update, in memory, and writes it when it is due, when asked, and at the end.

In memory, because a wish to stop comes in the middle of a rollout or an update: what is written then is where the
training stood at the last update's end, and the unfinished rollout is dropped.
"""

from collections.abc import Callable
from pathlib import Path

from stable_baselines3.common.callbacks import BaseCallback

from rl.checkpoint import file
from rl.checkpoint.file import Checkpoint


class Checkpoints(BaseCallback):
    """Keeps checkpoints in `checkpoints/` of `folder`. Stands behind whatever looks between updates.

    `take` gives the training as it is; `every` steps, or the first update's end after them, one is written; None: only
    at the end, and by `write`.
    """

    def __init__(self, folder: Path, take: Callable[[], Checkpoint], every: int | None) -> None:
        super().__init__()
        self._folder, self._take, self._every = folder, take, every
        self.held: Checkpoint | None = None
        self._written: int | None = None
        self._begun_at = 0
        self._between_updates = True

    def _on_training_start(self) -> None:
        self._begun_at = self.num_timesteps

    def _on_rollout_start(self) -> None:
        self._between_updates = True
        self.held = self._take()
        before = self._begun_at if self._written is None else self._written
        if self._every is not None and self.held.step // self._every > before // self._every:
            self.write()

    def _on_step(self) -> bool:
        self._between_updates = False
        return True

    def _on_rollout_end(self) -> None:
        self._between_updates = True  # once the update that follows is done, which nobody tells

    def _on_training_end(self) -> None:
        if self._between_updates:
            self.held = self._take()
        self.write()

    def write(self) -> None:
        """Write what is held, where it is not written yet. Raises OSError."""
        if self.held is not None and self.held.step != self._written:
            file.write(self._folder, self.held)
            self._written = self.held.step
