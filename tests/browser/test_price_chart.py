"""The price chart of a run in a real browser: marks and lane are drawn, keys walk along them, a table tells them."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, Person, visit
from tests.real_site import Site

SEED = f"""
import django; django.setup()
import datetime as dt
from pathlib import Path
from accounts.models import User
from django.conf import settings
from runs_app.models import Dataset
from tests.runs_app.judged_run import drawn_bars, judged_run
store = Path(settings.DATASETS_ROOT)
user = User.objects.create_user("trader", password="{PASSWORD}")
found = judged_run(user, store, drawn_bars(), policy="equal", start="2022-01-03", end="2023-12-29")
hours = drawn_bars("1h", dt.date(2021, 2, 26))
gone = judged_run(user, store, hours, policy="equal", start="2021-01-19", end="2021-02-12")
Dataset.objects.filter(version=gone.dataset_version).delete()
print(found.id, gone.id)
"""


@pytest.fixture(scope="module")
def runs(site: Site) -> list[str]:
    """Ids of a run of the user `trader` that has its prices, and of one whose dataset is gone."""
    return site.python("-c", SEED).strip().splitlines()[-1].split()


@pytest.fixture
def trader(browser: Browser, site: Site, runs: list[str]) -> Iterator[Person]:
    with visit(browser, site) as person:
        person.log_in("trader")
        yield person


def panel_of(person: Person, run: str) -> None:
    person.go(f"/runs/{run}/report")
    person.page.locator("#run-prices").scroll_into_view_if_needed()
    expect(person.page.locator("#run-prices")).to_have_attribute("data-drawn", re.compile(r"\w+"))


def shot(page: Page, name: str) -> None:
    if shots := os.environ.get("STOCKBOT_SHOTS"):
        page.wait_for_timeout(400)
        page.locator("#run-prices").screenshot(path=str(Path(shots) / f"{name}.png"))


@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_and_lane_at_both_widths(trader: Person, runs: list[str], width: int, theme: str) -> None:
    page = trader.page
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    panel_of(trader, runs[0])
    page.locator("#run-prices select").select_option("FIG")
    panel = page.locator("#run-prices[data-drawn=FIG]")
    chart = panel.locator("[data-chart]")
    said = panel.locator("[data-say]")
    expect(said).to_contain_text("FIG, raw prices: 501 bars")
    counts = [int(number) for number in re.findall(r"(\d+) (?:purchases|sales)", said.inner_text())]
    expect(chart).to_have_attribute("data-fills", str(sum(counts)))
    assert 0 < int(chart.get_attribute("data-marks") or 0) <= sum(counts) and sum(counts) > 10
    box = chart.bounding_box()
    assert box is not None and box["width"] > 300 and box["height"] > 300
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shot(page, f"prices-{width}-{theme}")


def test_keys_walk_from_trade_to_trade_and_the_table_tells_the_same(trader: Person, runs: list[str]) -> None:
    page = trader.page
    panel_of(trader, runs[0])
    panel, told = page.locator("#run-prices"), page.locator("#run-prices [data-told]")
    panel.locator("summary").click()
    cells = panel.locator("[data-rows] tr").first.locator("th, td").all_inner_texts()
    panel.locator("[data-chart]").focus()
    page.keyboard.press("PageDown")
    expect(told).to_contain_text(f"{cells[1].lower()} {cells[3]} at {cells[4]}")
    expect(told).to_contain_text(cells[0])
    shot(page, "prices-keys")
    page.keyboard.press("Home")
    expect(told).to_contain_text("2022-01-03")
    page.keyboard.press("ArrowRight")
    expect(told).to_contain_text("2022-01-04")
    page.keyboard.press("End")
    expect(told).to_contain_text("2023-12-29")


def test_days_and_looks_are_chosen(trader: Person, runs: list[str]) -> None:
    page = trader.page
    panel_of(trader, runs[0])
    panel = page.locator("#run-prices")
    panel.get_by_label("From", exact=True).fill("2022-06-01")
    panel.get_by_label("To", exact=True).fill("2022-09-30")
    expect(panel.locator("[data-say]")).to_contain_text("85 bars")
    panel.get_by_role("button", name="Closes").click()
    expect(panel.get_by_role("button", name="Closes")).to_have_attribute("aria-pressed", "true")
    shot(page, "prices-closes")
    page.locator("[data-theme-toggle]").click()
    expect(panel.locator("[data-chart]")).to_have_attribute("data-fills", re.compile(r"\d+"))


def test_a_dataset_that_is_gone_is_told_in_a_sentence(trader: Person, runs: list[str]) -> None:
    trader.go(f"/runs/{runs[1]}/report")
    expect(trader.page.locator("#run-prices")).to_contain_text("The prices that this run traded (files/drawn")
    assert trader.page.locator("#run-prices [data-chart]").count() == 0
