"""Pages that start runs: one form made from the configuration model, one service behind it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from backtest.config import BacktestConfig
from backtest.registry import BASELINES, CHOICES, STRATEGIES, label_of
from marketdata.catalog import DatasetMissing
from marketdata.config_base import ConfigFault
from marketdata.fetch_config import DataConfig
from rl.config import CalibrateConfig, CvConfig, TrainConfig
from runs_app import access, datasets, presets, resolve, services
from runs_app.catalog_view import dataset_options, stored_datasets
from runs_app.forms import ConfigForm
from runs_app.models import Policy, Run
from runs_app.titles import policy_title, run_title

# the order in which a person thinks of them; a group that is not named here follows
ORDER = (
    "",
    "calibration",
    "dataset",
    "split",
    "features",
    "regime",
    "model",
    "training",
    "reward",
    "episode",
    "fees",
    "exec",
    "margin",
    "evaluation",
    "guards",
)
# the service takes these two from the training that is judged; nobody types them
FILLED = frozenset({"policy_sha256", "features"})
# a walk-forward has one scheme and trains every fold
OF_FOLDS = frozenset({"split.scheme", "split.custom_ranges", "split.fold"})
# what only a report reads, or a training that leaves files
OF_A_REPORT = frozenset(
    f"evaluation.{name}" for name in (
        "cost_multipliers", "delays", "stress_windows", "metric_bootstrap_paths", "matched_random_draws", "waterfall",
        "capacity_multipliers", "rolling_window",
    )
) | {"training.checkpoint_every"}  # fmt: skip
OFFERED = 200


@dataclass(frozen=True)
class Start:
    """A page that starts runs: its service, its template, the presets it offers."""

    service: Callable[..., Run]
    template: str
    presets: tuple[presets.Preset, ...]


TRAIN = Start(services.start_training, "runs/train.html", presets.TRAIN_PRESETS)
CV = Start(services.start_walk_forward, "runs/cv.html", presets.CV_PRESETS)
CALIBRATE = Start(services.start_calibration, "runs/calibrate.html", presets.CALIBRATE_PRESETS)
BACKTEST = Start(services.start_backtest, "runs/backtest.html", presets.BACKTEST_PRESETS)
DATA = Start(services.start_data, "runs/data.html", ())
LEAKS = Start(services.start_leaks, "runs/leaks.html", presets.TRAIN_PRESETS)
LEAKS_OF_STRATEGY = Start(services.start_leaks, "runs/leaks_of_strategy.html", presets.BACKTEST_PRESETS)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def train(request: HttpRequest) -> HttpResponse:
    return _of_training(request, TRAIN)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cv(request: HttpRequest) -> HttpResponse:
    """A walk-forward: a training for each fold and seed."""
    return _of_training(request, CV, CvConfig, OF_FOLDS)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def calibrate(request: HttpRequest) -> HttpResponse:
    """A calibration of a training's set-up; `?run_id=` takes that of a training of one's own."""
    text = request.GET.get("run_id")
    source = _source(request, text, (Run.Kind.TRAIN,)) if text else None
    return _of_training(request, CALIBRATE, CalibrateConfig, OF_A_REPORT, source)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def backtest(request: HttpRequest) -> HttpResponse:
    return _of_strategy(request, BACKTEST)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def leaks(request: HttpRequest) -> HttpResponse:
    """A leak check of a training's configuration."""
    return _of_training(request, LEAKS)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def leaks_of_strategy(request: HttpRequest) -> HttpResponse:
    """A leak check of a baseline or of a trained policy."""
    return _of_strategy(request, LEAKS_OF_STRATEGY)


def _of_training(
    request: HttpRequest, start: Start, model: type[TrainConfig] = TrainConfig, filled: frozenset[str] = frozenset(),
    source: Run | None = None,
) -> HttpResponse:  # fmt: skip
    form = ConfigForm(model, order=(*ORDER[1:], ""), filled=filled, options=_options(request))
    if request.method == "POST":
        return _start(request, form, start)
    if source is not None:
        form.prefill({**source.config, "out_tag": ""})
        return _page(request, form, start, "", source=source)
    chosen = presets.find(start.presets, request.GET.get("preset"))
    form.prefill(chosen.values)
    form.prefill(_named_dataset(request))
    return _page(request, form, start, chosen.key)


def _of_strategy(request: HttpRequest, start: Start) -> HttpResponse:
    form = ConfigForm(BacktestConfig, order=ORDER, filled=FILLED, options=_options(request) | _subjects(request))
    if request.method == "POST":
        return _start(request, form, start)
    if text := request.GET.get("run_id"):
        source = _source(request, text)
        form.prefill({**source.config, "run_id": str(source.id), "out_tag": ""})
        return _page(request, form, start, "", source=source)
    if text := request.GET.get("policy"):
        policy = access.get_policy(request.user, _uuid(text))
        form.prefill({**policy.config, "policy": str(policy.id), "out_tag": ""})
        form.prefill({"evaluation": {"policy": policy.which}})
        return _page(request, form, start, "", source=policy.run)
    chosen = presets.find(start.presets, request.GET.get("preset"))
    form.prefill(chosen.values)
    form.prefill(_named_dataset(request))
    return _page(request, form, start, chosen.key)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def data(request: HttpRequest) -> HttpResponse:
    sources = [(key, f"{key}: {spec.title}") for key, spec in resolve.sources_here().items()]
    form = ConfigForm(DataConfig, options={"sources": sources})
    if request.method == "POST":
        return _start(request, form, DATA)
    if text := request.GET.get("run_id"):
        form.prefill(_source(request, text, (Run.Kind.DATA,)).config)
    return _page(request, form, DATA, "")


def _start(request: HttpRequest, form: ConfigForm[Any], start: Start) -> HttpResponse:
    config = form.read(request.POST)
    if config is None:
        return _page(request, form, start, "", status=400)
    try:
        run = start.service(owner=request.user, config=config)
    except ConfigFault as fault:
        form.add_fault(fault)
        return _page(request, form, start, "", status=400)
    return redirect("runs:detail", run_id=run.id)


def _page(request: HttpRequest, form: ConfigForm[Any], start: Start, preset: str, *, source: Run | None = None,
          status: int = 200) -> HttpResponse:  # fmt: skip
    context = {"form": form, "groups": form.groups, "presets": start.presets, "preset": preset, "source": source,
               "datasets": stored_datasets(request.user)}  # fmt: skip
    return render(request, start.template, context, status=status)


def _options(request: HttpRequest) -> dict[str, list[tuple[str, str]]]:
    return {
        "dataset.id": dataset_options(stored_datasets(request.user)),
        "evaluation.baselines": [(key, label_of(key)) for key in CHOICES],
    }


def _subjects(request: HttpRequest) -> dict[str, list[tuple[str, str]]]:
    """What may be judged: baselines, this person's policies and finished trainings."""
    policies = Policy.objects.owned_by(request.user).select_related("run").order_by("-created")[:OFFERED]
    trained = (
        Run.objects.owned_by(request.user).filter(kind__in=Run.TRAINED, state=Run.State.SUCCEEDED).order_by("-created")
    )
    return {
        "policy": [(key, STRATEGIES[key].label) for key in BASELINES]
        + [(str(policy.id), policy_title(policy)) for policy in policies],
        "run_id": [(str(run.id), f"{run_title(run)} · {run.created:%Y-%m-%d %H:%M}") for run in trained[:OFFERED]],
    }


def _named_dataset(request: HttpRequest) -> dict[str, Any]:
    """`?dataset=yahoo/mine` fills in that dataset and its interval, `&version=` that version of it.

    One that this person has not is left out.
    """
    asked, version = request.GET.get("dataset", ""), request.GET.get("version")
    try:
        found = datasets.find(request.user, asked, version)
    except DatasetMissing:
        return {}
    return {"dataset": {"id": found.id, "version": version, "interval": found.interval}}


def _source(request: HttpRequest, text: str, kinds: tuple[str, ...] = Run.TRAINED) -> Run:
    run: Run = access.get_run(request.user, _uuid(text))
    if run.kind not in kinds:
        raise Http404
    return run


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as fault:
        raise Http404 from fault
