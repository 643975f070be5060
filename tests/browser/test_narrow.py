"""What a phone shows of pages that are wide on a desk, and of a page whose window is made narrow."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PASSWORD, Person, visit
from tests.real_site import Site

SEED = f"""
import shutil
import django; django.setup()
from backtest.config import EvaluationConfig
from backtest.registry import BASELINES
from runfiles import layout
from runs_app import places
from accounts.models import User
from runs_app.models import Run
from tests.runs_app.finished_run import finished_training
user = User.objects.create_user("nora", password="{PASSWORD}")
usual = EvaluationConfig().baselines
parent, child = finished_training(user), finished_training(user)
parent.config["training"]["seeds"] = [0, 1]
parent.save(update_fields=["config"])
Run.objects.filter(pk=child.id).update(parent=parent)
for key in BASELINES:
    if key not in usual:
        shutil.rmtree(places.run_folder(parent.id) / layout.baseline_folder(key))
        parent.artifacts.filter(key__startswith=key + ".").delete()
print(parent.id)
"""


@pytest.fixture(scope="module")
def run(site: Site) -> str:
    return site.python("-c", SEED).strip().splitlines()[-1]


@pytest.fixture
def nora(browser: Browser, site: Site, run: str) -> Iterator[tuple[Person, str]]:
    with visit(browser, site) as person:
        person.log_in("nora")
        yield person, run


def scrolled(page: Page) -> list[str]:
    """Tables that need a scroll sideways, by their words."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('.sb-scroll')].filter(one => one.scrollWidth > one.clientWidth + 1)"
        ".map(one => one.textContent.slice(0, 40))"
    )
    return found


def picture(page: Page, selector: str) -> bytes:
    page.wait_for_timeout(800)  # a chart is drawn in the frames after its size is known; nothing tells when
    return page.locator(selector).screenshot()


def test_pages_fit(nora: tuple[Person, str]) -> None:
    person, run = nora
    page = person.page
    page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/policies", f"/runs/{run}"):
        person.go(path)
        assert scrolled(page) == [], path
    person.go("/policies")
    assert page.get_by_role("link", name="Backtest").first.is_visible()
    page.evaluate(
        "mark = document.querySelector('[data-queue-url]'); mark.hidden = false;"
        "mark.firstElementChild.textContent = '11 running, 13 queued'"
    )
    bar = page.evaluate(
        "['.sb-brand', '.sb-bar-end', '.sb-nav'].map(one => document.querySelector(one).getBoundingClientRect())"
        ".map(box => [box.left, box.right, box.top, box.bottom])"
    )
    brand, end, nav = bar
    assert brand[1] <= end[0] and end[1] <= 360 and max(brand[3], end[3]) <= nav[2]
    page.set_viewport_size({"width": 1440, "height": 900})
    person.go(f"/runs/{run}/report")
    assert scrolled(page) == []


def test_a_chart_of_a_narrowed_window_shows_all_days(nora: tuple[Person, str]) -> None:
    person, run = nora
    page = person.page
    person.go(f"/runs/{run}/report")
    page.locator("[data-chart=equity] canvas").first.wait_for()
    page.set_viewport_size({"width": 420, "height": 900})
    narrowed = picture(page, "[data-chart=equity]")
    person.go(f"/runs/{run}/report")
    page.locator("[data-chart=equity] canvas").first.wait_for()
    assert picture(page, "[data-chart=equity]") == narrowed
