"""Going on with a parent (several seeds, a walk-forward) as a whole: what is trained, and from where the rest goes on.

Somebody may have gone on with one of its children alone meanwhile: then what came of that counts for this child as
well, for it is the same training.
"""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from marketdata.config_base import config_hash
from rl.config import TrainConfig
from runfiles import layout
from runs_app import harvest, judged, resume
from runs_app.models import Artifact, Run
from runs_app.parents import PARTS
from runs_app.resume import KEYS, Left, NotResumable, Ready


@dataclass(frozen=True)
class Member:
    """A child as it goes on: its training is `taken` over, or made again under `config`, from where it is `ready`, or
    from its beginning. `name` as people call it.
    """

    name: str
    config: TrainConfig
    taken: Run | None = None
    ready: Ready | None = None

    @property
    def sentence(self) -> str:
        if self.taken is not None:
            return f"{self.name} is taken over from run {_short(self.taken)}."
        if self.ready is not None:
            return f"{self.name} goes on from the checkpoint of run {_short(self.ready.run)}."
        return f"{self.name} starts anew: it left nothing to go on from."


@dataclass(frozen=True)
class LeftOfMember:
    """What the runs of one child left by our rows: policies that were trained to the end, checkpoints, newest first."""

    name: str
    config: TrainConfig
    trained: tuple[tuple[Run, str], ...]
    stopped: tuple[Left, ...]

    def checked(self, path: str) -> Member:
        """Reads files whole, and no database. `path` of the policy that is judged, below its run directory."""
        for run, sha256 in self.trained:
            if harvest.is_intact(run.id, path, sha256):
                return Member(self.name, self.config, taken=run)
        for left in self.stopped:
            try:
                return Member(self.name, self.config, ready=left.checked())
            except NotResumable:
                continue
        return Member(self.name, self.config)


@dataclass(frozen=True)
class LeftOfParent:
    """What the children of a parent left; `key` of the policy that is judged, `parts` is what they are, for people."""

    members: tuple[LeftOfMember, ...]
    key: str
    parts: str

    def checked(self) -> tuple[Member, ...]:
        """Reads the files whole, and no database: for the pool. Raises NotResumable where nothing can be taken."""
        members = tuple(one.checked(layout.FILES[self.key].path) for one in self.members)
        if not any(one.taken or one.ready for one in members):
            raise NotResumable(
                f"What the {self.parts} of this training left is gone or not as they left it; start it again."
            )
        return members


def left_by(run: Run) -> LeftOfParent:
    """What the children of a parent left. Raises NotResumable with the reason why it cannot go on."""
    resume.require_stopped(run)
    resume.require_alone(run)
    key, children = judged.FILES[resume.config_of(run).evaluation.policy], run.trainings
    lines, parts = _lines(run, children), PARTS[Run.Kind(run.kind)]
    _require_none_diverged(lines)
    rows: dict[uuid.UUID, dict[str, str]] = defaultdict(dict)
    for row in Artifact.objects.filter(run__in=[one for line in lines for one in line], key__in=(key, *KEYS)):
        rows[row.run_id][row.key] = row.sha256
    left = tuple(
        LeftOfMember(
            child.member_name,
            _config(child),
            tuple((one, rows[one.id][key]) for one in line if _succeeded(one) and key in rows[one.id]),
            tuple(found for one in line if _may_go_on(one) and (found := resume.left_in(one, rows[one.id]))),
        )
        for child, line in zip(children, lines, strict=True)
    )
    if not any(one.trained or one.stopped for one in left):
        part = parts.removesuffix("s")
        raise NotResumable(f"No {part} of this training was trained to its end or left a checkpoint; start it again.")
    return LeftOfParent(left, key, parts)


def can_go_on(run: Run) -> bool:
    """Whether a run, a parent or not, can by our rows."""
    try:
        left_by(run) if run.is_parent else resume.left_by(run)
    except NotResumable:
        return False
    return True


def told(members: Sequence[Member], parts: str) -> str:
    """What becomes of each child; `parts` is what they are."""
    only_judged = all(one.taken is not None for one in members)
    again = [f"All {parts} are trained; they are judged again."] if only_judged else []
    return " ".join([one.sentence for one in members] + again)


def _lines(parent: Run, children: Sequence[Run]) -> list[list[Run]]:
    """Of each child its training and whatever went on from it, all of which has ended: the succeeded ones first (their
    last checkpoint lies there too, should their policy be gone), then the newest.
    """
    line_of = {child.id: [child] for child in children}
    newest = list(children)
    while newest:
        again = Run.objects.owned_by(parent.owner_id).filter(source_run__in=newest, kind=Run.Kind.TRAIN)
        before, newest = {one.id: one for one in newest}, []
        for one in again:
            if one.id not in line_of and one.config_hash == before[one.source_run_id].config_hash:
                line_of[one.id] = line_of[one.source_run_id]
                line_of[one.id].append(one)
                newest.append(one)
    lines = [line_of[child.id] for child in children]
    return [sorted(line, key=lambda one: (not _succeeded(one), -one.created.timestamp())) for line in lines]


def _require_none_diverged(lines: Sequence[Sequence[Run]]) -> None:
    """Where a run of a child succeeded it does not matter what became of others of it."""
    for one in (one for line in lines if not any(map(_succeeded, line)) for one in line):
        if not _may_go_on(one):
            raise NotResumable(
                f"{one.member_name} of this training diverged, and would again: start another, with a smaller "
                "model.learning_rate."
            )


def _succeeded(run: Run) -> bool:
    return run.state == Run.State.SUCCEEDED


def _may_go_on(run: Run) -> bool:
    return run.reason != resume.DIVERGED


def _config(child: Run) -> TrainConfig:
    config = resume.config_of(child)
    if config_hash(config) != child.config_hash:
        raise NotResumable(resume.OTHER_VERSION)
    return config


def _short(run: Run) -> str:
    return str(run.id)[:8]
