"""Files of prices from the file dialogue to the chart and the form of a backtest, in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Person
from tests.runs_app.datasets.made import prices


def send(person: Person, path: Path, content: str, *, members: Path | None = None) -> None:
    path.write_text(content)
    person.go("/datasets/new")
    person.page.get_by_label("Prices").set_input_files(path)
    if members is not None:
        person.page.get_by_label("Members of the universe").set_input_files(members)
    person.page.get_by_role("button", name="Upload and preview").click()


def test_the_button_says_what_is_being_waited_for(person: Person, tmp_path: Path) -> None:
    page = person.page
    person.sign_up("waiter")
    page.add_init_script(
        "addEventListener('submit', (event) => event.preventDefault())"
    )  # an answer that does not come
    send(person, tmp_path / "a.csv", prices())
    button = page.locator("main form button[type=submit]")
    expect(button).to_have_text("Sending and reading…")
    expect(button).to_be_disabled()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")  # back from the next page
    expect(button).to_have_text("Upload and preview")
    expect(button).to_be_enabled()


def narrow(person: Person) -> None:
    """No page is wider than a phone."""
    for width in (360, 1440):
        person.page.set_viewport_size({"width": width, "height": 800})
        assert person.page.evaluate("document.documentElement.scrollWidth") <= width, person.page.url


def test_from_a_file_to_a_backtest(person: Person, tmp_path: Path) -> None:
    page = person.page
    person.sign_up("uploader")
    members = tmp_path / "members.csv"
    members.write_text("symbol,start,end\nA,2020-01-02,\nB,2020-02-03,\n")
    send(person, tmp_path / "My prices.csv", prices(), members=members)
    expect(page.get_by_role("heading", name="First rows")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("my-prices")
    narrow(person)
    page.get_by_role("button", name="Check and store").click()
    expect(page.get_by_role("heading", name="my-prices")).to_be_visible()
    expect(page.locator("#prices")).to_have_attribute("data-drawn", "A")
    page.get_by_label("Symbol", exact=True).select_option("B")
    expect(page.locator("#prices")).to_have_attribute("data-drawn", "B")
    expect(page.locator("[data-say]")).to_have_text("Closes of B: 137 bars.")
    expect(page.get_by_text("point in time")).to_be_visible()
    narrow(person)
    page.get_by_role("link", name="Backtest on this").click()
    expect(page.locator("[name='dataset.id']")).to_have_value("files/my-prices")
    person.go("/datasets")
    expect(page.get_by_role("link", name="my-prices")).to_be_visible()
    narrow(person)


def test_a_red_report_and_a_file_that_is_none_say_so(person: Person, tmp_path: Path) -> None:
    page = person.page
    person.sign_up("spoiler")
    send(person, tmp_path / "bad.csv", prices().replace("2020-01-03,A,", "2020-01-03,A,-"))
    page.get_by_role("button", name="Check and store").click()
    expect(page.locator("#faults")).to_be_focused()
    expect(page.get_by_text("A has an open of -106.5 on 2020-01-03")).to_be_visible()
    narrow(person)
    send(person, tmp_path / "book.csv", "PK\x03\x04")
    expect(page.get_by_role("alert")).to_contain_text("book.csv is a zip archive or an Excel workbook")
    person.go("/datasets")
    expect(page.get_by_text("Uploads that wait")).to_be_visible()
    person.faults.clear()  # the browser itself notes the statuses 400


def test_prices_that_do_not_come_are_told(person: Person) -> None:
    person.sign_up("offline")
    page = person.page
    page.route("**/bars*", lambda route: route.abort())
    person.go("/datasets")
    page.get_by_role("link", name="20 US stocks").click()
    expect(page.locator("[data-say]")).to_contain_text("could not be loaded")
    expect(page.locator("#quality .sb-level").first).to_be_visible()
    person.faults.clear()  # the browser notes what we cut off


@pytest.mark.parametrize("width", [360, 1440])
def test_the_upload_page_is_no_wider_than_the_screen(person: Person, width: int) -> None:
    person.sign_up(f"wide{width}")
    person.page.set_viewport_size({"width": width, "height": 800})
    person.go("/datasets/new")
    assert person.page.evaluate("document.documentElement.scrollWidth") <= width
