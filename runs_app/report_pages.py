"""The report of a run: verdict, metrics of every strategy, curves, orders and trades."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.http import parse_etags, quote_etag
from django.views.decorators.http import require_safe

from runfiles import excess_words, report_rows, seed_rows
from runfiles.metric_keys import HEADLINE, METRICS, OF_ACCOUNT
from runfiles.report_tables import ALL_BOOKS
from runs_app import access, excess_table, price_chart, report_parts, report_reader
from runs_app.models import Run
from runs_app.pool import in_pool

_PAGE = re.compile("[1-9][0-9]{0,5}")
# beside the charts; the other metrics unfold below
SHOWN = (*HEADLINE, "calmar", "cvar_95", "exposure", "gross", "hit_rate", "beta", "information_ratio", "n_trades")


@login_required
@require_safe
def report(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Verdict first, then the evidence. A run without a report says why, and what there is instead."""
    run = access.get_run(request.user, run_id)
    summary = report_reader.read_summary(run)
    strategies = report_reader.judged(run, summary) if summary else []  # the job writes it after the rest
    labels = report_reader.labels(run, summary)
    context = {
        "run": run,
        "summary": summary,
        "verdict": summary.get("verdict") or run.verdict,
        "strategies": strategies,
        "labels": labels,
        "leaks": report_reader.read_leaks(run) if summary else {},
        "excesses": excess_table.excess_rows(summary, labels),
        "excess_columns": excess_table.COLUMNS,
        "only_shown": excess_table.shown_only(summary, [one.key for one in strategies if not one.is_subject]),
        "words": excess_words,
        "headline": [METRICS[key] for key in SHOWN],
        "others": [spec for key, spec in METRICS.items() if key not in SHOWN],
        "absent": {one["key"]: one["why"] for one in summary.get("absent", [])},
        "of_account": OF_ACCOUNT,
        "absent_means": report_rows.ABSENT_MEANS,
        "not_in_file": report_rows.NOT_IN_FILE,
        "orders": report_reader.table_page(run, "orders", 1),
        "trades": report_reader.table_page(run, "trades", 1),
        "parts": _parts(run, summary, strategies[0].metrics, labels) if strategies else [],
        "all_books": ALL_BOOKS if summary.get("seeds") else "",
        "seeds_mean": seed_rows.MEANS,
        "years": report_parts.calendar(run) if strategies else [],
        "prices": price_chart.offer(run) if strategies else {},
        "months": report_rows.MONTHS,
        "glossary": report_rows.GLOSSARY,
        "before_costs": report_rows.BEFORE_COSTS_MEANS,
        "pandas": report_rows.PANDAS,
        "keys": {artifact.key: artifact for artifact in run.artifacts.all()},
    }
    return render(request, "runs/report.html", context)


def _parts(
    run: Run, summary: dict[str, Any], metrics: Mapping[str, float | None], labels: Mapping[str, str]
) -> list[report_parts.PartTable]:
    several = bool(summary.get("seeds"))
    return report_parts.part_tables(run, metrics, summary["split"], labels, several_seeds=several)


@login_required
@require_safe
def curves(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Equity and drawdown of every strategy as JSON; 304 while the files stand as they were."""
    run = access.get_run(request.user, run_id)
    etag = quote_etag(report_reader.stamp(run))
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        answer: HttpResponse = HttpResponse(status=304)
    else:
        answer = JsonResponse(in_pool(report_reader.curves, run), json_dumps_params={"allow_nan": False})
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, no-cache"
    return answer


@login_required
@require_safe
def table(request: HttpRequest, run_id: uuid.UUID, table: str) -> HttpResponse:
    """A page of the orders or the trades, as a fragment."""
    run = access.get_run(request.user, run_id)
    text = request.GET.get("page", "1")
    if table not in report_reader.TABLES or not _PAGE.fullmatch(text):
        raise Http404
    rows = report_reader.table_page(run, table, int(text))
    return render(request, "runs/_rows.html", {"run": run, "table": table, "rows": rows})
