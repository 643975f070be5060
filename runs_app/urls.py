from django.urls import path

from runs_app import pages, report_pages, start_pages

app_name = "runs"

urlpatterns = [
    path("", pages.run_list, name="list"),
    path("train", start_pages.train, name="train"),
    path("backtest", start_pages.backtest, name="backtest"),
    path("data", start_pages.data, name="data"),
    path("runs/<uuid:run_id>", pages.detail, name="detail"),
    path("runs/<uuid:run_id>/cancel", pages.cancel, name="cancel"),
    path("runs/<uuid:run_id>/part/<slug:part>", pages.detail_part, name="part"),
    path("runs/<uuid:run_id>/report", report_pages.report, name="report"),
    path("runs/<uuid:run_id>/report/curves", report_pages.curves, name="report-data"),
    path("runs/<uuid:run_id>/report/<str:table>", report_pages.table, name="report-table"),
    path("runs/queue", pages.queue, name="queue"),
    path("policies", pages.policies, name="policies"),
    path("datasets", pages.datasets, name="datasets"),
]
