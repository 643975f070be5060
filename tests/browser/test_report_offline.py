"""`report.html` by itself: from a file, without a network or script from elsewhere, on screen and on paper."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from backtest import run
from marketdata.setup_samples import put_samples
from marketdata.store import Store
from runfiles import layout
from runfiles.events import EventWriter
from runfiles.job import Job

CONFIG = {
    "policy": "momentum",
    "dataset": {"id": "sample/us20"},
    "start": "2019-01-02",
    "end": "2022-12-28",
    "evaluation": {"bootstrap_paths": 1000, "metric_bootstrap_paths": 100, "baselines": ["cash", "buy_hold", "equal"]},
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a real backtest, alone in a folder."""
    folder, store = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("store")
    put_samples(Store(store))
    run.run(Job(folder, store, EventWriter(folder / layout.EVENTS), dict(CONFIG)))
    alone = tmp_path_factory.mktemp("alone") / layout.REPORT_HTML
    alone.write_bytes((folder / layout.REPORT / layout.REPORT_HTML).read_bytes())
    return alone


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    context = browser.new_context(offline=True, viewport={"width": 1440, "height": 900})
    opened, asked, faults = context.new_page(), list[str](), list[str]()
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.goto(report.as_uri())
    yield opened
    context.close()
    assert asked == [report.as_uri()] and faults == []


def test_it_opens_without_a_network(page: Page) -> None:
    first = page.locator("body").inner_text()[:400]
    assert "Momentum" in first and re.search(r"Not shown|Worse|Shown|Too short", first)
    assert page.locator("svg").count() >= 3
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_prints(page: Page, tmp_path: Path) -> None:
    """Every chart and every table reaches the paper: nothing of the page is wider than the sheet."""
    sheet = page.pdf(path=tmp_path / "report.pdf", format="A4", print_background=True)
    assert sheet.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page[^s]", sheet))
    assert 3 <= pages <= 40
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 990})  # A4 between its margins, in CSS pixels
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
