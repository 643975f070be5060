"""What the API shows of uploads and datasets, and the same for OpenAPI."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from rest_framework import serializers

from marketdata.catalog import DatasetEntry
from runs_app import datasets
from runs_app.models import Dataset, Run, Upload
from runs_app.quota import Held


def dataset_row(row: Dataset, entry: DatasetEntry) -> dict[str, Any]:
    """A version in a list. `id` is what a configuration names; `dataset_id` is this row's."""
    names = ("id", "version", "title", "start", "end", "n_bars", "adjustment", "calendar", "interval", "survivorship",
             "as_of", "source", "license_note")  # fmt: skip
    return {
        **{name: getattr(entry, name) for name in names},
        "dataset_id": str(row.id),
        "symbols": list(entry.symbols),
        "fields": sorted(entry.fields),
        "actions": sorted(entry.actions),
        "indices": [symbol for symbol in entry.symbols if symbol in entry.indices],
        "member": entry.member,
        "sample": row.owner_id is None,
        "bytes": datasets.catalog().store.size(entry.version),
        "created": row.created,
        "url": reverse("api:dataset", args=[row.id]),
    }


def dataset_full(row: Dataset, entry: DatasetEntry, report: Mapping[str, Any], runs: Sequence[Run]) -> dict[str, Any]:
    used = [{"id": str(run.id), "name": str(run), "url": reverse("api:run", args=[run.id])} for run in runs]
    return dataset_row(row, entry) | {"report": report, "runs": used}


def quota_row(has: Held) -> dict[str, int]:
    names = ("datasets", "datasets_allowed", "bytes", "bytes_allowed")
    return {name: getattr(has, name) for name in names}


def upload_row(upload: Upload, members: Upload | None = None) -> dict[str, Any]:
    """Members that came with the prices stand in the guess: a commit of it takes them."""
    preview = upload.preview
    if members is not None:
        preview = preview | {"guess": preview["guess"] | {"membership": str(members.id)}}
    return {"id": str(upload.id), "files": upload.files, "bytes": upload.bytes, "preview": preview,
            "commit_url": reverse("api:dataset-commit", args=[upload.id])}  # fmt: skip


class UploadInput(serializers.Serializer[Any]):
    file = serializers.ListField(child=serializers.FileField(), help_text="CSV or Parquet; repeat it for more files.")
    members = serializers.FileField(required=False, help_text="The members of the universe: symbol, start, end.")


class UploadFileShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()


class PreviewFileShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    rows = serializers.IntegerField()


class PreviewShape(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["csv", "parquet"])
    files = PreviewFileShape(many=True)
    n_rows = serializers.IntegerField()
    columns = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.ListField(child=serializers.CharField(allow_blank=True)))
    guess = serializers.DictField(help_text="Calendar, interval, adjustment and columns, ready for the commit.")
    findings = serializers.ListField(child=serializers.CharField(), help_text="What a commit of the guess would say.")


class UploadShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    files = UploadFileShape(many=True)
    bytes = serializers.IntegerField()
    preview = PreviewShape()
    commit_url = serializers.CharField()


class DatasetShape(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="What a configuration names in dataset.id.")
    version = serializers.CharField(help_text="sha256 of the bars.")
    title = serializers.CharField()
    start = serializers.DateField()
    end = serializers.DateField()
    n_bars = serializers.IntegerField()
    adjustment = serializers.CharField()
    calendar = serializers.CharField()
    interval = serializers.CharField()
    survivorship = serializers.ChoiceField(choices=["biased", "unknown", "point_in_time"])
    as_of = serializers.CharField()
    source = serializers.CharField()
    license_note = serializers.CharField()
    dataset_id = serializers.UUIDField()
    symbols = serializers.ListField(child=serializers.CharField())
    fields = serializers.ListField(child=serializers.CharField())
    actions = serializers.ListField(child=serializers.CharField())
    indices = serializers.ListField(
        child=serializers.CharField(), help_text="Symbols that are levels of an index and cannot be bought."
    )
    member = serializers.BooleanField(help_text="Whether a point-in-time membership is recorded.")
    sample = serializers.BooleanField()
    bytes = serializers.IntegerField()
    created = serializers.DateTimeField()
    url = serializers.CharField()


class QuotaShape(serializers.Serializer[Any]):
    datasets = serializers.IntegerField(help_text="Yours, each version counted.")
    datasets_allowed = serializers.IntegerField()
    bytes = serializers.IntegerField(help_text="Of bars on disk; the same bars under two names count once.")
    bytes_allowed = serializers.IntegerField()


class DatasetsShape(serializers.Serializer[Any]):
    datasets = DatasetShape(many=True)
    quota = QuotaShape()


class FindingShape(serializers.Serializer[Any]):
    level = serializers.ChoiceField(choices=["green", "amber", "red"])
    code = serializers.CharField()
    symbol = serializers.CharField(allow_blank=True)
    date = serializers.DateField()
    sentence = serializers.CharField()


class ReportShape(serializers.Serializer[Any]):
    level = serializers.ChoiceField(choices=["green", "amber", "red"])
    findings = FindingShape(many=True)


class CommittedShape(DatasetShape):
    report = ReportShape()


class RedShape(serializers.Serializer[Any]):
    detail = serializers.CharField()
    errors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    report = ReportShape(required=False, help_text="Where the prices themselves are red.")


class UsingRunShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    url = serializers.CharField()


class DatasetDetailShape(CommittedShape):
    runs = UsingRunShape(many=True)


class BarsShape(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    interval = serializers.CharField()
    n_total = serializers.IntegerField()
    bars_a_point = serializers.IntegerField()
    session = serializers.ListField(child=serializers.DateField())
    time = serializers.ListField(child=serializers.DateTimeField(), help_text="Close of the bar, UTC.")
    open = serializers.ListField(child=serializers.FloatField(allow_null=True), required=False)
    high = serializers.ListField(child=serializers.FloatField(allow_null=True), required=False)
    low = serializers.ListField(child=serializers.FloatField(allow_null=True), required=False)
    close = serializers.ListField(child=serializers.FloatField(allow_null=True))
    volume = serializers.ListField(child=serializers.FloatField(allow_null=True), required=False)
    vwap = serializers.ListField(child=serializers.FloatField(allow_null=True), required=False)
    split = serializers.ListField(child=serializers.FloatField(), required=False)
    dividend = serializers.ListField(child=serializers.FloatField(), required=False)
