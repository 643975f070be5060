"""Pages that start runs: one form made from the configuration model, one service behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from backtest.config import BacktestConfig
from backtest.registry import BASELINES, CHOICES, STRATEGIES, label_of
from marketdata.catalog import DatasetMissing
from marketdata.config_base import ConfigFault
from marketdata.fetch_config import DataConfig
from rl.config import UNREAD, CalibrateConfig, CvConfig, TrainConfig
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
OFFERED = 200


@dataclass(frozen=True)
class Start:
    """A page that starts runs of one kind: its service, its template, the presets it offers."""

    kind: Run.Kind
    service: Callable[..., Run]
    template: str
    presets: tuple[presets.Preset, ...]


TRAIN = Start(Run.Kind.TRAIN, services.start_training, "runs/train.html", presets.TRAIN_PRESETS)
CV = Start(Run.Kind.CV, services.start_walk_forward, "runs/cv.html", presets.CV_PRESETS)
CALIBRATE = Start(Run.Kind.CALIBRATE, services.start_calibration, "runs/calibrate.html", presets.CALIBRATE_PRESETS)
BACKTEST = Start(Run.Kind.BACKTEST, services.start_backtest, "runs/backtest.html", presets.BACKTEST_PRESETS)
DATA = Start(Run.Kind.DATA, services.start_data, "runs/data.html", ())
LEAKS = Start(Run.Kind.LEAKS, services.start_leaks, "runs/leaks.html", presets.LEAKS_PRESETS)
LEAKS_OF_STRATEGY = Start(
    Run.Kind.LEAKS, services.start_leaks, "runs/leaks_of_strategy.html", presets.LEAKS_OF_STRATEGY_PRESETS
)


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
    source = access.get_run_like(request.user, text, (Run.Kind.TRAIN,)) if text else None
    return _of_training(request, CALIBRATE, CalibrateConfig, frozenset(UNREAD), source)


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
    if "like" in request.GET:
        return _like(request, form, start)
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
    if "like" in request.GET:
        return _like(request, form, start)
    if text := request.GET.get("run_id"):
        source = access.get_run_like(request.user, text, Run.TRAINED)
        form.prefill({**source.config, "run_id": str(source.id), "out_tag": ""})
        return _page(request, form, start, "", source=source)
    if text := request.GET.get("policy"):
        policy = access.get_policy(request.user, access.id_of(text))
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
    return _like(request, form, DATA) if "like" in request.GET else _page(request, form, DATA, "")


def _like(request: HttpRequest, form: ConfigForm[Any], start: Start) -> HttpResponse:
    """`?like=<run>`: the form with the settings of that run, which this page starts the like of."""
    source = access.get_run_like(request.user, request.GET["like"], (start.kind,))
    form.prefill(source.config)
    return _page(request, form, start, "", like=source)


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
          like: Run | None = None, status: int = 200) -> HttpResponse:  # fmt: skip
    context = {
        "form": form,
        "groups": form.groups,
        "presets": start.presets,
        "preset": preset,
        "source": source,
        "like": like,
        "datasets": stored_datasets(request.user),
    }
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
