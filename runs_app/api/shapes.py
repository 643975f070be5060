"""What the API shows of a row, and the same for OpenAPI. The live payload itself is made in `runs_app.payload`."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from rest_framework import serializers

from runfiles import layout
from runs_app.models import Artifact, Policy, Run
from runs_app.payload import run_detail, run_payload


def run_row(run: Run, positions: Mapping[uuid.UUID, int]) -> dict[str, Any]:
    """A run in a list: the live payload, its label and its times. `positions` of the queue, looked up once a list."""
    return run_payload(run, positions) | {
        "name": run.name,
        "out_tag": run.out_tag,
        "sentence": run.sentence,
        "subject": run.subject,
        "dataset": {"id": run.dataset_name, "version": run.dataset_version},
        "created": run.created,
        "started": run.started,
        "ended": run.ended,
        "url": _address(run),
    }


def run_full(run: Run) -> dict[str, Any]:
    """A run in full: what was asked for, how it ended, what the report says."""
    return run_detail(run) | {"url": _address(run)}


def _address(run: Run) -> str:
    return reverse("api:run", args=[run.id])


def artifact_row(artifact: Artifact, spec: layout.FileSpec) -> dict[str, Any]:
    return {
        "key": artifact.key,
        "kind": artifact.kind,
        "title": spec.title,
        "filename": spec.filename,
        "media_type": spec.media_type,
        "bytes": artifact.bytes,
        "sha256": artifact.sha256,
        "url": reverse("api:run-file", args=[artifact.run_id, artifact.key]),
    }


def policy_row(policy: Policy) -> dict[str, Any]:
    return {
        "id": str(policy.id),
        "name": policy.name,
        "which": policy.which,
        "run": str(policy.run_id) if policy.run_id else None,
        "sha256": policy.sha256,
        "bytes": policy.bytes,
        "created": policy.created,
        "url": reverse("api:policy", args=[policy.id]),
    }


class ProgressShape(serializers.Serializer[Any]):
    step = serializers.IntegerField(allow_null=True)
    total = serializers.IntegerField(allow_null=True)
    rate = serializers.FloatField(allow_null=True, help_text="Steps a second, updates of the policy included.")
    eta_s = serializers.FloatField(allow_null=True, help_text="Seconds left of this phase.")


class DatasetRefShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    version = serializers.CharField()


class RunShape(serializers.Serializer[Any]):
    """The live payload (REST, socket and stream give the same) with the run's label and times."""

    seq = serializers.IntegerField(help_text="Number of the newest event; never falls.")
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Run.Kind.choices)
    state = serializers.ChoiceField(choices=[(state.value, state.label) for state in Run.SHOWN])
    reason = serializers.CharField()
    queue_position = serializers.IntegerField(allow_null=True)
    cancel_requested = serializers.BooleanField()
    phase = serializers.CharField()
    progress = ProgressShape()
    metrics = serializers.DictField()
    updated = serializers.DateTimeField()
    name = serializers.CharField()
    out_tag = serializers.CharField()
    sentence = serializers.CharField()
    subject = serializers.CharField()
    dataset = DatasetRefShape()
    created = serializers.DateTimeField()
    started = serializers.DateTimeField(allow_null=True)
    ended = serializers.DateTimeField(allow_null=True)
    url = serializers.CharField()


class RunDetailShape(RunShape):
    """Everything about a run but its files."""

    config = serializers.DictField(help_text="The resolved configuration, as in config.yaml.")
    config_hash = serializers.CharField()
    source_run = serializers.UUIDField(
        allow_null=True, help_text="The training that a backtest judges, or that a training goes on from."
    )
    parent = serializers.UUIDField(allow_null=True, help_text="The run whose seed or fold this is.")
    children = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="A run a seed, in the order of the seeds; of a walk-forward fold by fold.",
    )
    taken_over = serializers.ListField(
        child=serializers.UUIDField(), help_text="Those of the children that an earlier parent had trained."
    )
    policy = serializers.UUIDField(allow_null=True)
    policies = serializers.ListField(child=serializers.UUIDField())
    duration_s = serializers.FloatField(allow_null=True)
    peak_rss_mb = serializers.FloatField(allow_null=True)
    verdict = serializers.DictField()
    baselines = serializers.DictField()
    warnings = serializers.ListField(child=serializers.CharField())


class RunPageShape(serializers.Serializer[Any]):
    results = RunShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="Address of the next page.")


class RunPatch(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, allow_blank=True)


class ArtifactShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField()
    filename = serializers.CharField()
    media_type = serializers.CharField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    url = serializers.CharField()


class ArtifactsShape(serializers.Serializer[Any]):
    artifacts = ArtifactShape(many=True)


class LogShape(serializers.Serializer[Any]):
    offset = serializers.IntegerField(help_text="Byte of the log at which `text` begins.")
    next_offset = serializers.IntegerField(help_text="Ask from here the next time.")
    size = serializers.IntegerField(help_text="Bytes of the log now.")
    text = serializers.CharField()
    ended = serializers.BooleanField(help_text="The run has ended and `text` reaches the log's end.")


class PolicyShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    which = serializers.ChoiceField(choices=["best", "last"])
    run = serializers.UUIDField(allow_null=True)
    sha256 = serializers.CharField()
    bytes = serializers.IntegerField()
    created = serializers.DateTimeField()
    url = serializers.CharField()


class PolicyDetailShape(PolicyShape):
    config = serializers.DictField()


class PoliciesShape(serializers.Serializer[Any]):
    policies = PolicyShape(many=True)


class TagShape(serializers.Serializer[Any]):
    tag = serializers.CharField()
    last_step = serializers.IntegerField()
    n = serializers.IntegerField()


class TagsShape(serializers.Serializer[Any]):
    scalars = TagShape(many=True)
    histograms = TagShape(many=True)


class SeriesShape(serializers.Serializer[Any]):
    tag = serializers.CharField()
    step = serializers.ListField(child=serializers.IntegerField())
    wall = serializers.ListField(child=serializers.FloatField(), help_text="Seconds since 1970, UTC.")
    value = serializers.ListField(child=serializers.FloatField(allow_null=True), help_text="null is NaN or infinite.")
    n_total = serializers.IntegerField()
    downsampled = serializers.BooleanField()


class BatchShape(serializers.Serializer[Any]):
    series = serializers.DictField(child=SeriesShape())


def _numbers(text: str = "", **more: Any) -> serializers.ListField:
    child = serializers.FloatField(allow_null=True)
    return serializers.ListField(child=child, help_text=text or None, **more)


class FillsShape(serializers.Serializer[Any]):
    point = serializers.ListField(child=serializers.IntegerField(), help_text="Place in the columns of the prices.")
    side = serializers.ListField(child=serializers.ChoiceField(choices=["buy", "sell"]))
    count = serializers.ListField(child=serializers.IntegerField(), help_text="Fills joined here.")
    shares = _numbers("In shares of the point's last bar.")
    price = _numbers("Of one share, on average.")
    money = _numbers()
    costs = _numbers()


class ProfitShape(serializers.Serializer[Any]):
    pnl_gross = serializers.FloatField()
    fees = serializers.FloatField()
    slippage = serializers.FloatField()
    dividends = serializers.FloatField()
    financing = serializers.FloatField()
    pnl_net = serializers.FloatField()


class PricesShape(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    interval = serializers.CharField()
    adjustment = serializers.ChoiceField(choices=["raw", "split", "total_return"])
    n_total = serializers.IntegerField()
    bars_a_point = serializers.IntegerField()
    session = serializers.ListField(child=serializers.DateField())
    time = serializers.ListField(child=serializers.DateTimeField(), help_text="Close of the bar, UTC.")
    close_low = _numbers("Lowest close of the bars joined.")
    close_high = _numbers("Highest close of the bars joined.")
    open = _numbers(required=False)
    high = _numbers(required=False)
    low = _numbers(required=False)
    close = _numbers()
    split = _numbers("New shares for an old one; raw prices only.", required=False)
    weight = _numbers("Held at the close, after fills.")
    weight_low = _numbers()
    weight_high = _numbers()
    n_fills = serializers.IntegerField(help_text="Sum of the counts.")
    fills = FillsShape()
    profit = ProfitShape(allow_null=True)
