"""The evidence of a real backtest in a real browser: rolling charts are drawn, wide tables fit or scroll."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PASSWORD, Person, visit
from tests.real_site import Site

SEED = f"""
import django; django.setup()
import pathlib, shutil, tempfile
from accounts.models import User
from backtest import run
from django.conf import settings
from runfiles import layout, manifest, yamlio
from runfiles.events import EventWriter
from runfiles.job import Job
from runs_app import places
from runs_app.models import Artifact
from tests.runs_app.finished_run import finished_training
from marketdata.setup_samples import put_samples
from marketdata.store import Store
user = User.objects.create_user("judge", password="{PASSWORD}")
found = finished_training(user, name="A judged run")
config = {{"policy": "momentum", "dataset": {{"id": "sample/us20"}},
          "split": {{"scheme": "walk_forward", "n_folds": 3, "test_bars": 250, "validation_bars": 100}},
          "evaluation": {{"bootstrap_paths": 1000, "metric_bootstrap_paths": 100, "benchmark": "AAPL"}}}}
folder = pathlib.Path(tempfile.mkdtemp())
store = pathlib.Path(tempfile.mkdtemp())
put_samples(Store(store))
(folder / layout.CONFIG).write_text(yamlio.dump(config))
run.run(Job(folder, store, EventWriter(folder / layout.EVENTS), config))
target = places.run_folder(found.id) / layout.REPORT
shutil.rmtree(target)
shutil.copytree(folder / layout.REPORT, target)
found.subject = "momentum"; found.save()
print(found.id)
"""


@pytest.fixture(scope="module")
def judged(site: Site) -> str:
    """Id of a run of the user `judge` that holds the report of a real backtest."""
    return site.python("-c", SEED).strip().splitlines()[-1]


@pytest.fixture
def reader(browser: Browser, site: Site, judged: str) -> Iterator[Person]:
    with visit(browser, site) as person:
        person.log_in("judge")
        yield person


def test_charts_and_tables_at_both_widths(reader: Person, judged: str) -> None:
    page = reader.page
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        reader.go(f"/runs/{judged}/report")
        expect(page.locator("#charts")).to_have_attribute("data-drawn", re.compile(r"\d"))
        expect(page.locator("#rolling")).to_have_attribute("data-drawn", "2")
        expect(page.locator("#rolling [data-window]")).to_contain_text("over 126 bars")
        for name in ("sharpe", "volatility", "beta"):
            box = page.locator(f"[data-chart={name}]").bounding_box()
            assert box is not None and box["width"] > 250 and box["height"] > 100
        for table in ("sensitivity", "stress"):
            heads = page.locator(f"#{table} .sb-metric-table thead th").all_inner_texts()
            assert heads[1] == "Momentum" and {"Cash", "Benchmark", "Random", "First symbol"} <= set(heads)
        assert page.locator("#folds tbody tr").count() == 3
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if shots := os.environ.get("STOCKBOT_SHOTS"):
            page.screenshot(path=str(Path(shots) / f"report-{width}.png"), full_page=True)
