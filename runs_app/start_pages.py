"""New training, new backtest: one form made from the configuration model, one service behind it."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from backtest.config import BacktestConfig
from backtest.registry import BASELINES, STRATEGIES
from marketdata.config_base import ConfigFault
from rl.config import TrainConfig
from runs_app import access, presets, services
from runs_app.catalog_view import dataset_options, stored_datasets
from runs_app.forms import ConfigForm
from runs_app.models import Policy, Run
from runs_app.titles import policy_title, run_title

# the order in which a person thinks of them; a group that is not named here follows
ORDER = (
    "",
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
OFFERED = 200


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def train(request: HttpRequest) -> HttpResponse:
    form = ConfigForm(TrainConfig, order=(*ORDER[1:], ""), options=_options(request))
    if request.method == "POST":
        return _start(request, form, services.start_training, "runs/train.html", presets.TRAIN_PRESETS)
    chosen = presets.find(presets.TRAIN_PRESETS, request.GET.get("preset"))
    form.prefill(chosen.values)
    return _page(request, form, "runs/train.html", presets.TRAIN_PRESETS, chosen.key)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def backtest(request: HttpRequest) -> HttpResponse:
    form = ConfigForm(BacktestConfig, order=ORDER, filled=FILLED, options=_options(request) | _subjects(request))
    if request.method == "POST":
        return _start(request, form, services.start_backtest, "runs/backtest.html", presets.BACKTEST_PRESETS)
    if text := request.GET.get("run_id"):
        source = _source(request, text)
        form.prefill({**source.config, "run_id": str(source.id), "out_tag": ""})
        return _page(request, form, "runs/backtest.html", presets.BACKTEST_PRESETS, "", source=source)
    if text := request.GET.get("policy"):
        policy = access.get_policy(request.user, _uuid(text))
        form.prefill({**policy.config, "policy": str(policy.id), "out_tag": ""})
        form.prefill({"evaluation": {"policy": policy.which}})
        return _page(request, form, "runs/backtest.html", presets.BACKTEST_PRESETS, "", source=policy.run)
    chosen = presets.find(presets.BACKTEST_PRESETS, request.GET.get("preset"))
    form.prefill(chosen.values)
    return _page(request, form, "runs/backtest.html", presets.BACKTEST_PRESETS, chosen.key)


def _start(request: HttpRequest, form: ConfigForm[Any], service: Callable[..., Run], template: str,
           offered: tuple[presets.Preset, ...]) -> HttpResponse:  # fmt: skip
    config = form.read(request.POST)
    if config is None:
        return _page(request, form, template, offered, "", status=400)
    try:
        run = service(owner=request.user, config=config)
    except ConfigFault as fault:
        form.add_fault(fault)
        return _page(request, form, template, offered, "", status=400)
    return redirect("runs:detail", run_id=run.id)


def _page(request: HttpRequest, form: ConfigForm[Any], template: str, offered: tuple[presets.Preset, ...], preset: str,
          *, source: Run | None = None, status: int = 200) -> HttpResponse:  # fmt: skip
    context = {"form": form, "groups": form.groups, "presets": offered, "preset": preset, "source": source,
               "datasets": stored_datasets(request.user)}  # fmt: skip
    return render(request, template, context, status=status)


def _options(request: HttpRequest) -> dict[str, list[tuple[str, str]]]:
    return {
        "dataset.id": dataset_options(stored_datasets(request.user)),
        "evaluation.baselines": [(key, STRATEGIES[key].label) for key in BASELINES],
    }


def _subjects(request: HttpRequest) -> dict[str, list[tuple[str, str]]]:
    """What may be judged: baselines, this person's policies and finished trainings."""
    policies = Policy.objects.owned_by(request.user).select_related("run").order_by("-created")[:OFFERED]
    trained = (
        Run.objects.owned_by(request.user).filter(kind=Run.Kind.TRAIN, state=Run.State.SUCCEEDED).order_by("-created")
    )
    return {
        "policy": [(key, STRATEGIES[key].label) for key in BASELINES]
        + [(str(policy.id), policy_title(policy)) for policy in policies],
        "run_id": [(str(run.id), f"{run_title(run)} · {run.created:%Y-%m-%d %H:%M}") for run in trained[:OFFERED]],
    }


def _source(request: HttpRequest, text: str) -> Run:
    run: Run = access.get_run(request.user, _uuid(text))
    if run.kind != Run.Kind.TRAIN:
        raise Http404
    return run


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as fault:
        raise Http404 from fault
