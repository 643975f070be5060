"""Import a result: one form made from the configuration model, with the file above it."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from backtest.config import MOST_RESULT_BYTES, POLICY_FIELDS, RERUN_FIELDS, ImportConfig
from backtest.registry import BASELINES, label_of
from marketdata.config_base import ConfigFault
from runs_app import access, services
from runs_app.catalog_view import dataset_options, stored_datasets
from runs_app.forms import ConfigForm
from runs_app.models import Run
from runs_app.upload_handler import DiskUpload, disk_files

ORDER = ("result", "", "dataset", "fees", "exec", "margin", "episode", "evaluation")
FILLED = frozenset({"file_sha256", "split", *(f"evaluation.{name}" for name in RERUN_FIELDS), *POLICY_FIELDS})
"""The hash is the file's own; nothing of a file is set apart; a curve cannot be run again, and no policy acts."""
TOO_LARGE = f"The file holds more than {MOST_RESULT_BYTES // 2**20} MiB."


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_result(request: HttpRequest) -> HttpResponse:
    """Send a file; the run that judges it is like any other."""
    options = {
        "dataset.id": dataset_options(stored_datasets(request.user)),
        "evaluation.baselines": [(key, label_of(key)) for key in BASELINES],
    }
    form = ConfigForm(ImportConfig, order=ORDER, filled=FILLED, options=options)
    if request.method != "POST":
        like = (
            access.get_run_like(request.user, request.GET["like"], (Run.Kind.IMPORT,))
            if "like" in request.GET
            else None
        )
        form.prefill(like.config if like else {})
        return _page(request, form, like=like)
    try:
        file = _file(request)
        config = form.read(request.POST)
        if config is None:
            return _page(request, form, status=400)
        run = services.start_import(owner=request.user, config=config, file=file)
    except ConfigFault as fault:
        form.add_fault(fault)
        return _page(request, form, status=400)
    return redirect("runs:detail", run_id=run.id)


def _file(request: HttpRequest) -> DiskUpload:
    """Raises ConfigFault."""
    try:
        files = disk_files(request, "file")
    except RequestDataTooBig as fault:
        raise ConfigFault({"config": [TOO_LARGE]}) from fault
    if len(files) != 1:
        raise ConfigFault({"config": ["Choose the file of the result; one is taken."]})
    if (files[0].size or 0) > MOST_RESULT_BYTES:
        raise ConfigFault({"config": [TOO_LARGE]})
    return files[0]


def _page(
    request: HttpRequest, form: ConfigForm[ImportConfig], *, like: Run | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "like": like, "groups": form.groups, "most_mib": MOST_RESULT_BYTES // 2**20}
    return render(request, "runs/import.html", context, status=status)
