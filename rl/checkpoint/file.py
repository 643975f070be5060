"""A checkpoint's file: strict JSON, safetensors and the best policy so far in one stored zip. Nothing in it is pickled.

| member              | content                                                                               |
|---------------------|---------------------------------------------------------------------------------------|
| `checkpoint.json`   | format, version, counters, what it fits, what it was made with, plain values          |
| `state.safetensors` | the arrays of rl.checkpoint.state, those of `Fit`, and the looks                       |
| `best_policy.zip`   | the policy that was best on the validation range by then; absent before the first look |

No clock, path or run id is in it, so that the same training at the same step is the same file. `checkpoints/` holds the
last one and the one before it, never more.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as unpack
from safetensors.numpy import save as pack_arrays

from rl.callbacks import Look
from rl.checkpoint.fault import CheckpointFault, CheckpointMisfit
from rl.checkpoint.state import Arrays, State
from rl.policy_format import container
from rl.policy_format.container import Rules
from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.fields import Fields, read_json
from rl.policy_format.spec import plain_json
from rl.policy_format.weights import check_header
from runfiles import atomic, layout, second_name
from runfiles.hashes import sha256_of

FORMAT: Final = "stockbot-checkpoint"
VERSION: Final = 1
DOCUMENT: Final = "checkpoint.json"
ARRAYS: Final = "state.safetensors"
MEMBERS: Final = (DOCUMENT, ARRAYS, layout.BEST_POLICY)
_GIB = 1 << 30
_RULES: Final = Rules(8 * _GIB, len(MEMBERS), lambda name: 4 * _GIB if name in MEMBERS else None,
                      frozenset({container.STORED}))  # fmt: skip
_KINDS: Final = frozenset({"F64", "F32", "I64", "I32", "U32", "U8", "BOOL"})
_MOST_ARRAYS: Final = 10_000
_MOST_STEPS: Final = 1 << 40


@dataclass(frozen=True)
class Fit:
    """What a checkpoint fits: the configuration's hash, the sha256 of the table of windows, and the normaliser."""

    config_sha256: str
    windows_sha256: str
    normaliser: Arrays

    def require(self, here: "Fit") -> None:
        """Raises CheckpointMisfit where a training `here` is another."""
        if self.config_sha256 != here.config_sha256:
            raise CheckpointMisfit("it was made with another configuration")
        if self.windows_sha256 != here.windows_sha256:
            raise CheckpointMisfit(
                "the features are not those that it was made with; the bars or the code have changed"
            )
        if {name: value.tobytes() for name, value in self.normaliser.items()} != {
            name: value.tobytes() for name, value in here.normaliser.items()
        }:
            raise CheckpointMisfit("the normaliser is not the one that it was made with")


@dataclass(frozen=True)
class Checkpoint:
    """A training at an update's end. `total`: steps in all, which schedules count down from. `looks` at the validation
    range so far, `best` the bytes of the best policy's file, None before the first look. `made_with`: what another
    value of makes other numbers (`rl.checkpoint.made_with`).
    """

    fit: Fit
    total: int
    looks: tuple[Look, ...]
    best: bytes | None
    state: State
    made_with: dict[str, str]

    @property
    def step(self) -> int:
        return self.state.step


def pack(checkpoint: Checkpoint) -> bytes:
    """The file's bytes; the same checkpoint gives the same bytes."""
    arrays = pack_arrays({name: np.asarray(value, order="C") for name, value in sorted(_arrays(checkpoint).items())})
    state, best = checkpoint.state, checkpoint.best
    document = {
        "format": FORMAT, "version": VERSION, "step": state.step, "total": checkpoint.total, "updates": state.updates,
        "config_sha256": checkpoint.fit.config_sha256, "windows_sha256": checkpoint.fit.windows_sha256,
        "arrays_sha256": sha256_of(arrays), "best_sha256": sha256_of(best) if best is not None else "",
        "made_with": checkpoint.made_with, "log": state.log, "chance": state.chance,
    }  # fmt: skip
    members = {DOCUMENT: plain_json(document), ARRAYS: arrays}
    return container.write(members if best is None else members | {layout.BEST_POLICY: best}, MEMBERS)


def unpacked(content: bytes) -> Checkpoint:
    """Raises CheckpointFault for what `pack` does not write."""
    try:
        members = container.read(content, _RULES)
        if missing := [name for name in (DOCUMENT, ARRAYS) if name not in members]:
            raise CheckpointFault(f"it lacks {missing[0]}")
        return _read(Fields(read_json(members[DOCUMENT], DOCUMENT), DOCUMENT), members)
    except PolicyFileFault as fault:
        raise CheckpointFault(str(fault)) from fault


def write(folder: Path, checkpoint: Checkpoint) -> int:
    """Put it into `checkpoints/` of a run directory, beside and renamed; what was the last is then the one before.

    Bytes of the file. Once there is a last one, there is a whole one of that name at any moment.
    """
    content = pack(checkpoint)
    last, before = folder / layout.CHECKPOINT, folder / layout.CHECKPOINT_BEFORE
    last.parent.mkdir(mode=0o750, exist_ok=True)
    if last.exists():
        _name_too(last, before)
    atomic.write_bytes(last, content)
    return len(content)


def _name_too(path: Path, other: Path) -> None:
    """Let `other`, whatever it was, be a second name of the file at `path`."""
    beside = other.with_name(f".{other.name}.tmp")
    beside.unlink(missing_ok=True)  # of a process that was killed
    second_name.give(path, beside)
    beside.replace(other)
    beside.unlink(missing_ok=True)  # a rename between two names of one file does nothing


def load(path: Path, sha256: str) -> Checkpoint:
    """The checkpoint of a file that must have this sha256. Raises CheckpointFault."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointFault("it cannot be read") from error
    if sha256_of(content) != sha256:
        raise CheckpointFault("it is not the file that was kept: its sha256 differs")
    return unpacked(content)


def _arrays(checkpoint: Checkpoint) -> Arrays:
    looks = checkpoint.looks
    told: Arrays = {
        "looks.step": np.array([look.step for look in looks], np.int64),
        "looks.score": np.array([look.score for look in looks], np.float64),
    }
    fixed = {f"normaliser.{name}": value for name, value in checkpoint.fit.normaliser.items()}
    return checkpoint.state.arrays | told | fixed


def _read(fields: Fields, members: dict[str, bytes]) -> Checkpoint:
    if (told := fields.take("format"), fields.take("version")) != (FORMAT, VERSION):
        raise CheckpointFault(f"it is of format {str(told)[:40]!r} and a version that is not read here")
    arrays, best = _unpacked_arrays(members[ARRAYS]), members.get(layout.BEST_POLICY)
    for name, content in (("arrays_sha256", members[ARRAYS]), ("best_sha256", best)):
        if fields.text(name) != (sha256_of(content) if content is not None else ""):
            raise CheckpointFault(f"a member is not the one that {DOCUMENT} names in {name}")
    state = State(
        fields.whole("step", 0, _MOST_STEPS), fields.whole("updates", 0, _MOST_STEPS), _log(fields.object("log")),
        fields.object("chance").rest(), arrays,
    )  # fmt: skip
    made_with = fields.object("made_with")
    fit = Fit(fields.text("config_sha256"), fields.text("windows_sha256"), _group(arrays, "normaliser"))
    looks = _group(arrays, "looks")
    read = Checkpoint(
        fit, fields.whole("total", 0, _MOST_STEPS), _looks(looks), best, state,
        {name: made_with.text(name, 200) for name in made_with.rest()},
    )  # fmt: skip
    fields.end()
    return read


def _unpacked_arrays(content: bytes) -> Arrays:
    check_header(content, ARRAYS, _KINDS, _MOST_ARRAYS, least=0)
    try:
        return dict(unpack(content))
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise CheckpointFault(f"{ARRAYS} is damaged") from error


def _group(arrays: Arrays, group: str) -> Arrays:
    """The arrays of a group, taken out and without its name."""
    names = [name for name in arrays if name.startswith(f"{group}.")]
    return {name.partition(".")[2]: arrays.pop(name) for name in names}


def _looks(told: Arrays) -> tuple[Look, ...]:
    if set(told) != {"step", "score"} or told["step"].shape != told["score"].shape or told["step"].ndim != 1:
        raise CheckpointFault("its looks at the validation range are none")
    return tuple(Look(int(step), float(score)) for step, score in zip(told["step"], told["score"], strict=True))


def _log(fields: Fields) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in fields.rest():
        words = fields.items(name, 8)
        if not all(isinstance(word, str) for word in words):
            fields.refuse(name, "a list of texts")
        found[name] = words
    return found
