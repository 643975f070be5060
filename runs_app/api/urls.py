from django.urls import path

from runs_app.api import create, curves, datasets, downloads, prices, results, runs, store, stream

app_name = "api"

urlpatterns = [
    path("train", create.Train.as_view(), name="train"),
    path("cv", create.Cv.as_view(), name="cv"),
    path("backtest", create.Backtest.as_view(), name="backtest"),
    path("leaks", create.Leaks.as_view(), name="leaks"),
    path("calibrate", create.Calibrate.as_view(), name="calibrate"),
    path("import", results.Import.as_view(), name="import"),
    path("data", create.Data.as_view(), name="data"),
    path("runs", runs.RunList.as_view(), name="runs"),
    path("runs/<uuid:run_id>", runs.RunDetail.as_view(), name="run"),
    path("runs/<uuid:run_id>/cancel", runs.CancelRun.as_view(), name="run-cancel"),
    path("runs/<uuid:run_id>/resume", create.Resume.as_view(), name="run-resume"),
    path("runs/<uuid:run_id>/artifacts", downloads.Artifacts.as_view(), name="run-artifacts"),
    path("runs/<uuid:run_id>/files/<str:key>", downloads.RunFile.as_view(), name="run-file"),
    path("runs/<uuid:run_id>/prices", prices.RunPrices.as_view(), name="run-prices"),
    path("runs/<uuid:run_id>/log", downloads.Log.as_view(), name="run-log"),
    path("runs/<uuid:run_id>/stream", stream.Stream.as_view(), name="run-stream"),
    path("runs/<uuid:run_id>/tb/tags", curves.Tags.as_view(), name="run-tb-tags"),
    path("runs/<uuid:run_id>/tb/scalars", curves.Scalars.as_view(), name="run-tb-scalars"),
    path("runs/<uuid:run_id>/tb/scalars-batch", curves.ScalarsBatch.as_view(), name="run-tb-scalars-batch"),
    path("policies", store.PolicyList.as_view(), name="policies"),
    path("policies/<uuid:policy_id>", store.PolicyDetail.as_view(), name="policy"),
    path("datasets", datasets.DatasetList.as_view(), name="datasets"),
    path("datasets/<uuid:upload_id>/commit", datasets.CommitDataset.as_view(), name="dataset-commit"),
    path("datasets/<uuid:dataset_id>", datasets.DatasetDetail.as_view(), name="dataset"),
    path("datasets/<uuid:dataset_id>/bars", datasets.DatasetBars.as_view(), name="dataset-bars"),
]
