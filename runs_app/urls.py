from django.urls import path

from runs_app import dataset_pages, pages, report_pages, result_pages, start_pages

app_name = "runs"

urlpatterns = [
    path("", pages.run_list, name="list"),
    path("train", start_pages.train, name="train"),
    path("cv", start_pages.cv, name="cv"),
    path("backtest", start_pages.backtest, name="backtest"),
    path("leaks", start_pages.leaks, name="leaks"),
    path("leaks/strategy", start_pages.leaks_of_strategy, name="leaks-strategy"),
    path("calibrate", start_pages.calibrate, name="calibrate"),
    path("import", result_pages.import_result, name="import"),
    path("data", start_pages.data, name="data"),
    path("runs/<uuid:run_id>", pages.detail, name="detail"),
    path("runs/<uuid:run_id>/cancel", pages.cancel, name="cancel"),
    path("runs/<uuid:run_id>/resume", pages.resume, name="resume"),
    path("runs/<uuid:run_id>/part/<slug:part>", pages.detail_part, name="part"),
    path("runs/<uuid:run_id>/report", report_pages.report, name="report"),
    path("runs/<uuid:run_id>/report/curves", report_pages.curves, name="report-data"),
    path("runs/<uuid:run_id>/report/<str:table>", report_pages.table, name="report-table"),
    path("runs/queue", pages.queue, name="queue"),
    path("policies", pages.policies, name="policies"),
    path("datasets", dataset_pages.dataset_list, name="datasets"),
    path("datasets/new", dataset_pages.dataset_new, name="dataset-new"),
    path("datasets/uploads/<uuid:upload_id>", dataset_pages.dataset_map, name="dataset-map"),
    path("datasets/<uuid:dataset_id>", dataset_pages.dataset_detail, name="dataset"),
    path("datasets/<uuid:dataset_id>/quality", dataset_pages.dataset_quality, name="dataset-quality"),
    path("datasets/<uuid:dataset_id>/delete", dataset_pages.dataset_delete, name="dataset-delete"),
]
