"""Rows of a user's runs. The run directory holds what a run made; a row holds where it stands and whose it is."""

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from runfiles.policy_list import member_name

_ACTIVE = ("QUEUED", "STARTING", "RUNNING")
_TERMINAL = ("SUCCEEDED", "FAILED", "CANCELLED", "INTERRUPTED")


class OwnedQuerySet(models.QuerySet[Any]):
    """Rows that belong to somebody. `owned_by` is the only way in for a request."""

    def owned_by(self, user: Any) -> Self:
        return self.filter(owner=user)


class RunQuerySet(OwnedQuerySet):
    """Runs of somebody, found by what a person sees of them."""

    def shown_as(self, states: Iterable[str]) -> Self:
        """Runs in any of the states a person sees: a claimed one still counts as queued, a parent whose children are at
        work as running.
        """
        wanted = set(states)
        begun = Q(state__in=("QUEUED", "STARTING"), started__isnull=False)
        found = Q(state__in=wanted | ({"STARTING"} if "QUEUED" in wanted else set()))
        if "QUEUED" in wanted and "RUNNING" not in wanted:
            found &= ~begun
        return self.filter(found | begun if "RUNNING" in wanted else found)

    def waiting_for_children(self) -> Self:
        """Parents whose children have not all ended, or whose end nobody has looked at yet."""
        return self.filter(state="QUEUED", queued=None)


class OfRunQuerySet(models.QuerySet[Any]):
    """Rows that belong to whoever owns their run."""

    def owned_by(self, user: Any) -> Self:
        return self.filter(run__owner=user)


class DatasetQuerySet(OwnedQuerySet):
    """Datasets of somebody, and the samples, which are nobody's."""

    def usable_by(self, user: Any) -> Self:
        return self.filter(Q(owner=user) | Q(owner=None))


class Dataset(models.Model):
    """A stored version under the name that its owner gave it. `owner` is null for the samples, which all may use.

    The bars lie in the store once for all who have the same; a name, and what is said of the bars, is of this row.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="datasets"
    )
    name = models.CharField(max_length=100, help_text="Source and name, such as sample/us20 or files/mine.")
    version = models.CharField(max_length=64, help_text="sha256 of the stored bars.")
    title = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict, blank=True, help_text="Symbols, span, columns, source, survivorship.")
    quality = models.JSONField(default=dict, blank=True, help_text="Quality report; empty until somebody asked for it.")
    created = models.DateTimeField(auto_now_add=True)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        ordering = ("name", "-created")
        indexes = (models.Index(fields=("version",), name="dataset_by_version"),)
        constraints = (
            models.UniqueConstraint(fields=("owner", "name", "version"), name="dataset_once_per_owner"),
            models.UniqueConstraint(fields=("name", "version"), condition=Q(owner=None), name="dataset_once_for_all"),
        )

    def __str__(self) -> str:
        return f"{self.name}@{self.version[:8]}"


class Upload(models.Model):
    """Files that wait for their commit, in a folder of the same id below media/tmp; a day later they are gone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    files = models.JSONField(default=list, help_text="Name, bytes and sha256 of each file, in order.")
    bytes = models.PositiveBigIntegerField(default=0)
    preview = models.JSONField(default=dict, help_text="First rows, guessed column map, findings.")
    created = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "id")

    def __str__(self) -> str:
        return f"upload {str(self.id)[:8]}"


class Run(models.Model):
    """One job of any kind: a row here, a run directory and a control folder of the same name on disk."""

    class State(models.TextChoices):
        """Where a run stands; each arrow is one compare-and-set, made by the reconciler alone.

        ::

            QUEUED ──claim──▶ STARTING ──lock held──▶ RUNNING ──▶ SUCCEEDED    the job ended well, its manifest verified
              │  ▲               │  │                   │  ├────▶ FAILED       the job ended badly; `reason` says how
              │  └──no lock in───┘  │                   │  ├────▶ CANCELLED    the owner asked, and no process is left
              │     10 s, once      │                   │  └────▶ INTERRUPTED  the shim is gone and left no outcome
              │                     └──the same ends────┘
              └──cancelled while it waited──▶ CANCELLED

        A parent (a training with several seeds, a walk-forward) waits in QUEUED without a place in the queue, `queued`
        empty, until its children have ended; only then is it queued for its own job, which judges them. It is shown as
        RUNNING from the start of its first child on, while that job waits and starts too.

        "Cancelling" is no state but a wish on the row (`cancel_requested_at`); the page says "stopping" till it is so.
        Terminal states absorb; a trigger in the database refuses to leave them. STARTING is shown as QUEUED.
        """

        QUEUED = "QUEUED", "Queued"
        STARTING = "STARTING", "Starting"
        RUNNING = "RUNNING", "Running"
        SUCCEEDED = "SUCCEEDED", "Succeeded"
        FAILED = "FAILED", "Failed"
        CANCELLED = "CANCELLED", "Cancelled"
        INTERRUPTED = "INTERRUPTED", "Interrupted"

    ACTIVE: ClassVar[frozenset[str]] = frozenset(_ACTIVE)
    TERMINAL: ClassVar[frozenset[str]] = frozenset(_TERMINAL)
    SHOWN: ClassVar[tuple[State, ...]] = tuple(map(State, ("QUEUED", "RUNNING", *_TERMINAL)))

    class Kind(models.TextChoices):
        TRAIN = "train", "Training"
        BACKTEST = "backtest", "Backtest"
        DATA = "data", "Data fetch"
        LEAKS = "leaks", "Leak check"
        IMPORT = "import", "Imported result"
        CV = "cv", "Walk-forward"
        CALIBRATE = "calibrate", "Calibration"

    TRAINED: ClassVar[tuple[Kind, ...]] = (Kind.TRAIN, Kind.CV)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="runs")
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=120, blank=True)
    out_tag = models.CharField(max_length=80, blank=True, verbose_name="label")

    config = models.JSONField(default=dict, help_text="The resolved configuration, as in config.yaml.")
    config_hash = models.CharField(max_length=64)
    dataset_name = models.CharField(max_length=100, blank=True)
    dataset_version = models.CharField(max_length=64, blank=True)
    subject = models.CharField(max_length=64, blank=True, help_text="Strategy judged: a baseline's key, or policy.")
    source_run = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="followed_by",
        help_text="The training whose policy a backtest judges, or that a training goes on from.",
    )  # fmt: skip
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    taken_over = models.ManyToManyField(
        "self", symmetrical=False, blank=True, related_name="taken_by", through="TakenOver",
        through_fields=("from_run", "to_run"),
        help_text="Of a parent that goes on: trainings of earlier parents, whose policies it judges with its own.",
    )  # fmt: skip
    policy = models.ForeignKey("Policy", on_delete=models.SET_NULL, null=True, blank=True, related_name="backtests")
    idempotency_key = models.CharField(max_length=128, null=True, blank=True)  # noqa: DJ001 - null is "none given", not unique
    body_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the body that was sent with the key; empty in rows of before."
    )

    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    reason = models.CharField(max_length=16, blank=True, help_text="How it ended, in one word.")
    sentence = models.TextField(blank=True, help_text="How it ended, for a person.")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often it was claimed.")
    seq = models.PositiveBigIntegerField(default=0, help_text="Number of the newest RunEvent.")

    created = models.DateTimeField(auto_now_add=True)
    queued = models.DateTimeField(null=True, blank=True, help_text="Since when it waits for its turn.")
    started = models.DateTimeField(null=True, blank=True)
    ended = models.DateTimeField(null=True, blank=True)
    updated = models.DateTimeField(auto_now=True)
    duration_s = models.FloatField(
        null=True,
        blank=True,
        help_text="Seconds by the shim's monotonic clock; of a parent between its first child's start and its end.",
    )
    peak_rss_mb = models.FloatField(null=True, blank=True)

    phase = models.CharField(max_length=16, blank=True)
    progress_step = models.PositiveBigIntegerField(null=True, blank=True)
    progress_total = models.PositiveBigIntegerField(null=True, blank=True)
    progress_rate = models.FloatField(null=True, blank=True, help_text="Steps a second.")
    progress_eta = models.FloatField(null=True, blank=True, help_text="Seconds left.")
    events_offset = models.PositiveBigIntegerField(default=0, help_text="Bytes of events.jsonl that are in this row.")
    live = models.JSONField(default=dict, blank=True, help_text="Latest metrics of the running job.")
    metrics = models.JSONField(default=dict, blank=True, help_text="Metrics of the report; then of each baseline.")
    verdict = models.JSONField(default=dict, blank=True)
    baselines = models.JSONField(default=dict, blank=True, help_text="Metrics by baseline key.")
    warnings = models.JSONField(default=list, blank=True, help_text="Sentences, newest last.")

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "id")
        indexes = (
            models.Index(fields=("state", "created")),
            models.Index(fields=("owner", "-created")),
        )
        constraints = (
            models.UniqueConstraint(fields=("owner", "idempotency_key"), name="run_once_per_idempotency_key"),
            models.CheckConstraint(
                condition=Q(state__in=(*_ACTIVE, *_TERMINAL)),
                name="run_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=_ACTIVE, ended__isnull=True) | Q(state__in=_TERMINAL, ended__isnull=False),
                name="run_ended_iff_terminal",
            ),
        )

    def __str__(self) -> str:
        return self.name or f"{self.kind} {str(self.id)[:8]}"

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def is_terminal(self) -> bool:
        return self.state in self.TERMINAL

    @property
    def shown_state(self) -> str:
        """The state a person sees: a claimed run still waits for them; a parent whose children work is at work."""
        if self.state in (self.State.QUEUED, self.State.STARTING) and self.started is not None:
            return str(self.State.RUNNING)
        return str(self.State.QUEUED if self.state == self.State.STARTING else self.state)

    @property
    def trains(self) -> bool:
        """Whether policies come of it, of its own or its children's."""
        return self.kind in self.TRAINED

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of a training or a walk-forward; none of another run."""
        return tuple(self.config.get("training", {}).get("seeds", ())) if self.trains else ()

    @property
    def fold(self) -> int | None:
        """The fold, counted from 1, that this training is of; None outside a walk-forward."""
        found: int | None = self.config.get("split", {}).get("fold") if self.kind == self.Kind.TRAIN else None
        return found

    @property
    def is_parent(self) -> bool:
        """Whether it waits for runs of its own, and its own job is the judge of their policies."""
        return self.kind == self.Kind.CV or len(self.seeds) > 1

    @property
    def trainings(self) -> list["Run"]:
        """The run of each seed, of a walk-forward fold by fold, those taken over too; none where it is no parent."""
        if not self.is_parent:
            return []
        place = {seed: k for k, seed in enumerate(self.seeds)}

        def order(child: Run) -> tuple[int, int]:
            return child.fold or 0, place.get(next(iter(child.seeds), -1), len(place))

        return sorted([*self.children.all(), *self.taken_over.all()], key=order)

    @property
    def member_name(self) -> str:
        """What a child is called under its parent."""
        return member_name(self.seeds[0], self.fold) if self.seeds else str(self)

    @property
    def cancel_requested(self) -> bool:
        return self.cancel_requested_at is not None


class TakenOver(models.Model):
    """A training of an earlier parent that a later one judges too, and which therefore stays as long as that does."""

    from_run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")
    to_run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "runs_app_run_taken_over"
        unique_together = (("from_run", "to_run"),)

    def __str__(self) -> str:
        return f"{self.from_run_id} judges {self.to_run_id}"


class RunEvent(models.Model):
    """What happened to a run, in order, for ever: moves, phases, warnings, alarms, the wish to cancel."""

    class Kind(models.TextChoices):
        STATE = "state"
        PHASE = "phase"
        WARNING = "warning"
        ALARM = "alarm"
        CANCEL = "cancel"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=16, choices=Kind)
    data = models.JSONField(default=dict, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    objects = OfRunQuerySet.as_manager()

    class Meta:
        ordering = ("run", "seq")
        constraints = (models.UniqueConstraint(fields=("run", "seq"), name="event_seq_once"),)

    def __str__(self) -> str:
        return f"{self.run_id} #{self.seq} {self.kind}"


class Artifact(models.Model):
    """A file that a run left behind, by key; its path follows from the key through `runfiles.layout`."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="artifacts")
    key = models.CharField(max_length=64)
    kind = models.CharField(max_length=16)
    bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    created = models.DateTimeField(auto_now_add=True)

    objects = OfRunQuerySet.as_manager()

    class Meta:
        ordering = ("run", "key")
        constraints = (models.UniqueConstraint(fields=("run", "key"), name="artifact_key_once"),)

    def __str__(self) -> str:
        return f"{self.run_id} {self.key}"


class Policy(models.Model):
    """A trained policy kept apart from its run: `POLICIES_ROOT/<id>.zip`, checked by sha256 before each use."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="policies")
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, blank=True, related_name="policies")
    name = models.CharField(max_length=120, blank=True)
    which = models.CharField(max_length=8, choices=(("best", "best on validation"), ("last", "last")))
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField()
    config = models.JSONField(default=dict, help_text="The training's resolved configuration.")
    created = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "id")
        verbose_name_plural = "policies"
        constraints = (models.UniqueConstraint(fields=("run", "which"), name="policy_once_per_run"),)

    def __str__(self) -> str:
        return self.name or f"policy {str(self.id)[:8]}"
