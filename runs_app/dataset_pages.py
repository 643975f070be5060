"""Pages of datasets: the list, an upload and its column map, one dataset with its prices and its report."""

import re
import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketdata.config_base import ConfigFault
from marketdata.files import supervise
from marketdata.files.column_map import DatasetRequest
from marketdata.files.limits import MAX_BYTES, MAX_FILES
from runs_app import access, datasets, quota, uploads
from runs_app.forms import ConfigForm
from runs_app.models import Dataset, Upload
from runs_app.upload_handler import LONG_TEXT, FilesTooLarge, disk_files

BUSY = "The server reads other people's files just now; try again in a moment."
ORDER = ("", "columns")
SHOWN_FINDINGS = 200
COLUMN_FIELDS = ("date", "symbol", "open", "high", "low", "close", "adjusted_close", "volume", "vwap", "split",
                 "dividend", "final_return", "rates")  # fmt: skip
NO_MEMBERS = [("", "none was sent with the prices")]
"""A choice all the same: nobody types an id."""


@login_required
@require_safe
def dataset_list(request: HttpRequest) -> HttpResponse:
    """The newest version of each dataset that this person may use."""
    newest: dict[str, tuple[Dataset, Any]] = {}
    for row, entry in datasets.listed(request.user):  # the newest of an id first
        newest.setdefault(entry.id, (row, entry))
    waiting = Upload.objects.owned_by(request.user)
    context = {"rows": list(newest.values()), "waiting": waiting, "quota": quota.held(request.user)}
    return render(request, "runs/datasets.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def dataset_new(request: HttpRequest) -> HttpResponse:
    """Send files of prices, and with them, if there is one, a file of the universe's members."""
    fault, status = "", 200
    if request.method == "POST":
        try:
            prices, members = disk_files(request, "file"), disk_files(request, "members")
            upload, beside = uploads.receive_all(request.user, prices, members)
        except (ConfigFault, supervise.Busy, RequestDataTooBig) as found:
            fault, status = _sentence(found), 400
        else:
            answer = redirect("runs:dataset-map", upload_id=upload.id)
            if beside is not None:
                answer["Location"] += f"?membership={beside.id}"
            return answer
    limits = {"mib": MAX_BYTES // 2**20, "files": MAX_FILES}
    return render(request, "runs/dataset_new.html", {"fault": fault, "limits": limits}, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def dataset_map(request: HttpRequest, upload_id: uuid.UUID) -> HttpResponse:
    """What was sent, what each column is, and then the report: a red one stores nothing."""
    upload = access.get_upload(request.user, upload_id)
    form = ConfigForm(DatasetRequest, order=ORDER, options=_options(request, upload))
    if request.method != "POST":
        form.prefill(_first_guess(request, upload))
        return _map_page(request, upload, form)
    asked = form.read(request.POST)
    if asked is None:
        return _map_page(request, upload, form, status=400)
    try:
        row, report = uploads.commit(request.user, upload, asked)
    except uploads.RedReport as red:
        return _map_page(request, upload, form, report=red.report, status=400)
    except ConfigFault as found:
        form.add_fault(found)
        return _map_page(request, upload, form, status=400)
    except supervise.Busy:
        form.loose_errors.append(BUSY)
        return _map_page(request, upload, form, status=503)
    told = len(report["findings"])
    messages.info(
        request, f"Stored as {row.name}, version {row.version[:12]}: {told} finding{'' if told == 1 else 's'}."
    )
    return redirect("runs:dataset", dataset_id=row.id)


@login_required
@require_safe
def dataset_detail(request: HttpRequest, dataset_id: uuid.UUID) -> HttpResponse:
    """What it covers, its prices, what was found in it, who uses it."""
    row = access.get_dataset(request.user, dataset_id)
    try:
        entry = datasets.entry_of(row)
    except ConfigFault as found:
        return render(request, "runs/dataset_lost.html", {"row": row, "fault": _sentence(found)}, status=404)
    versions = Dataset.objects.usable_by(request.user).filter(name=row.name).defer("quality").order_by("-created")
    context = {
        "row": row, "entry": entry, "versions": versions, "report": _shown(row.quality) if row.quality else None,
        "bytes": datasets.catalog().store.size(row.version), "runs": datasets.used_by(row, request.user)[:20],
    }  # fmt: skip
    return render(request, "runs/dataset.html", context)


@login_required
@require_safe
def dataset_quality(request: HttpRequest, dataset_id: uuid.UUID) -> HttpResponse:
    """The report as a fragment; of a dataset that came without one, it is made now."""
    row = access.get_dataset(request.user, dataset_id)
    try:
        context = {"row": row, "report": _shown(uploads.quality(row))}
    except (ConfigFault, supervise.Busy) as found:
        context = {"row": row, "fault": _sentence(found)}
    return render(request, "runs/_dataset_quality.html", context)


@login_required
@require_POST
def dataset_delete(request: HttpRequest, dataset_id: uuid.UUID) -> HttpResponse:
    row = access.get_dataset(request.user, dataset_id)
    try:
        datasets.remove(row)
    except ConfigFault as found:
        messages.error(request, _sentence(found))
        return redirect("runs:dataset", dataset_id=dataset_id)
    messages.info(request, f"{row.name}, version {row.version[:12]}, is deleted.")
    return redirect("runs:datasets")


def _map_page(
    request: HttpRequest, upload: Upload, form: ConfigForm[Any], *, report: Any = None, status: int = 200
) -> HttpResponse:
    context = {
        "upload": upload, "preview": upload.preview, "form": form, "groups": form.groups,
        "report": _shown(report) if report else None,
        "columns": upload.preview.get("columns", [])[: len((upload.preview.get("rows") or [[]])[0])],
    }  # fmt: skip
    return render(request, "runs/dataset_map.html", context, status=status)


def _options(request: HttpRequest, upload: Upload) -> dict[str, list[tuple[str, str]]]:
    names = [(name, name) for name in upload.preview.get("columns", [])[:200]]
    others = [
        (str(one.id), f"{one.files[0]['name']} ({one.created:%H:%M})")
        for one in Upload.objects.owned_by(request.user).exclude(pk=upload.pk)
        if one.preview.get("members")
    ]
    return {f"columns.{field}": names for field in COLUMN_FIELDS} | {"membership": others or NO_MEMBERS}


def _first_guess(request: HttpRequest, upload: Upload) -> dict[str, Any]:
    stem = upload.files[0]["name"].rsplit(".", 1)[0] if len(upload.files) == 1 else "prices"
    name = re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-_")[:64] or "prices"
    found = {"name": name, "as_of": timezone.now().date(), **upload.preview.get("guess", {})}
    if membership := request.GET.get("membership"):
        found["membership"] = membership
    return found


def _shown(report: dict[str, Any]) -> dict[str, Any]:
    findings = report.get("findings", [])
    more = max(0, len(findings) - SHOWN_FINDINGS)
    return {"level": report.get("level", "green"), "findings": findings[:SHOWN_FINDINGS], "more": more}


def _sentence(found: Exception) -> str:
    if isinstance(found, ConfigFault):
        return next(iter(found.errors.values()))[0]
    if isinstance(found, supervise.Busy):
        return BUSY
    return f"The files hold more than {MAX_BYTES:,} bytes." if isinstance(found, FilesTooLarge) else LONG_TEXT
