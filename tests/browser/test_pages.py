"""What only a real browser shows: faults beside fields, theme, width, keyboard, a fallback without WebSocket."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, Person, visit
from tests.real_site import Site

SEED = f"""
import django; django.setup()
from accounts.models import User
from tests.runs_app.finished_run import finished_training
user = User.objects.create_user("reader", password="{PASSWORD}")
print(finished_training(user, name="A finished run").id)
"""

PATHS = [
    "/",
    "/train",
    "/backtest",
    "/data",
    "/leaks",
    "/leaks/strategy",
    "/calibrate",
    "/runs/{id}",
    "/runs/{id}/report",
]


@pytest.fixture(scope="module")
def finished(site: Site) -> str:
    """Id of a finished run of the user `reader`."""
    return site.python("-c", SEED).strip()


@pytest.fixture(scope="module")
def cookies(browser: Browser, site: Site, finished: str) -> Any:
    """Logged in once for all tests here: the site counts log-ins and slows down whoever tries too often."""
    with visit(browser, site) as person:
        person.log_in("reader")
        return person.page.context.storage_state()


@pytest.fixture
def reader(browser: Browser, site: Site, cookies: Any) -> Iterator[Person]:
    with visit(browser, site, cookies) as person:
        person.go("/")
        yield person


def test_a_wrong_password_is_told_on_the_page(person: Person) -> None:
    person.go("/accounts/login")
    person.page.get_by_label("User name").fill("reader")
    person.page.get_by_label("Password").fill("wrong")
    person.page.get_by_role("button", name="Log in").click()
    expect(person.page.get_by_role("alert")).to_have_text("User name or password is wrong.")
    person.faults.clear()  # the browser itself notes the status 400


def test_a_fault_leads_to_its_folded_field(reader: Person) -> None:
    page = reader.page
    reader.go("/train")
    page.locator("#g-fees summary").click()
    page.fill("[name='fees.borrow_fee_apr']", "-3")
    page.fill("[name='dataset.symbols']", "AAPL")
    page.get_by_role("button", name="Train").click()
    summary = page.locator("#faults")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("at least 0")
    summary.get_by_role("link").first.click()
    field = page.locator("[name='fees.borrow_fee_apr']")
    expect(field).to_be_focused()
    expect(field).to_have_value("-3")
    expect(page.locator("[name='dataset.symbols']")).to_have_value("AAPL")
    reader.faults.clear()  # the browser itself notes the status 400


def test_symbols_can_be_picked(reader: Person) -> None:
    page = reader.page
    reader.go("/train")
    page.get_by_text("Pick from the stored symbols").click()
    page.get_by_role("button", name="KO", exact=True).click()
    page.get_by_role("button", name="AAPL", exact=True).click()
    expect(page.locator("[name='dataset.symbols']")).to_have_value("KO, AAPL")
    page.get_by_role("button", name="KO", exact=True).click()
    expect(page.locator("[name='dataset.symbols']")).to_have_value("AAPL")


def test_the_theme_is_kept_and_charts_follow_it(reader: Person, finished: str) -> None:
    page = reader.page
    reader.go(f"/runs/{finished}/report")
    expect(page.locator("#charts")).to_have_attribute("data-drawn", re.compile(r"\d"))
    light = chart_pixel(page)
    toggle = page.get_by_role("button", name=re.compile("Theme"))
    toggle.click()
    toggle.click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.wait_for_function(
        """light => String([...document.querySelector('[data-chart=equity] canvas').getContext('2d')
             .getImageData(2, 2, 1, 1).data]) !== String(light)""",
        arg=light,
    )
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_a_series_can_be_hidden(reader: Person, finished: str) -> None:
    page = reader.page
    reader.go(f"/runs/{finished}/report")
    random = page.locator("[data-legend] button", has_text="Random")
    random.click()
    expect(random).to_have_attribute("aria-pressed", "false")


def test_the_search_key_and_the_filters(reader: Person) -> None:
    page = reader.page
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("nothing like it")
    expect(page.get_by_text("No run matches.")).to_be_visible()
    expect(page).to_have_url(re.compile("q=nothing"))
    page.fill("#q", "finished")
    expect(page.get_by_role("link", name="A finished run")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("path", [*PATHS, "/policies", "/datasets"])
def test_no_page_is_wider_than_the_screen(path: str, width: int, reader: Person, finished: str) -> None:
    reader.page.set_viewport_size({"width": width, "height": 800})
    reader.go(path.format(id=finished))
    expect(reader.page.get_by_role("heading", level=1)).to_be_visible()
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("path", PATHS)
def test_every_control_has_a_name(path: str, reader: Person, finished: str) -> None:
    reader.go(path.format(id=finished))
    expect(reader.page.get_by_role("heading", level=1)).to_be_visible()
    nameless = reader.page.evaluate(
        """() => [...document.querySelectorAll('main :is(input:not([type=hidden]), select, textarea, button)')]
             .filter(node => !node.labels?.length && !node.getAttribute('aria-label') && !node.textContent.trim())
             .map(node => node.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_without_a_socket_the_page_asks_instead(person: Person) -> None:
    """The browser refuses every WebSocket; the run is followed by REST to its end all the same."""
    person.page.add_init_script("window.WebSocket = class { constructor() { throw new Error('refused'); } };")
    person.sign_up("nosocket")
    page = person.page
    person.go("/backtest")
    page.get_by_role("button", name="Backtest").click()
    expect(page.locator("#run")).to_have_attribute("data-link", re.compile("polling|closed"))
    expect(page.locator("#run .sb-state")).to_have_text("Succeeded", timeout=120_000)
    expect(page.locator("#outcome")).to_contain_text("Verdict")


def test_a_stranger_sees_a_plain_not_found(person: Person, finished: str) -> None:
    person.sign_up("stranger")
    person.go(f"/runs/{finished}")
    expect(person.page.get_by_role("heading", level=1)).to_have_text("There is nothing at this address")
    person.faults.clear()  # the browser itself notes the status 404


def chart_pixel(page: Page) -> list[int]:
    """Colour in the corner of the equity chart's first layer."""
    pixel: list[int] = page.evaluate(
        """() => [...document.querySelector('[data-chart=equity] canvas').getContext('2d')
             .getImageData(2, 2, 1, 1).data]"""
    )
    return pixel
