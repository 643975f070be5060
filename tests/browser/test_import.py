"""A result from the form to its report, in a real browser."""

import datetime as dt
from pathlib import Path

from playwright.sync_api import expect

from marketdata.sessions import sessions_between
from tests.browser.conftest import Person


def test_from_the_file_to_what_it_does_not_hold(person: Person, tmp_path: Path) -> None:
    days = sessions_between("XNYS", dt.date(2021, 1, 4), dt.date(2021, 12, 31)).session
    file = tmp_path / "mine.csv"
    file.write_text("date,equity\n" + "".join(f"{day},{1000 + 3 * (k % 17) + k}\n" for k, day in enumerate(days)))
    person.sign_up("ida")
    page = person.page
    page.get_by_role("link", name="Import a result").click()
    page.get_by_label("Table of the result").set_input_files(str(file))
    page.get_by_role("button", name="Import").click()
    page.get_by_role("link", name="Read the report").click(timeout=120_000)
    expect(page.get_by_role("heading", name="Not in this report")).to_be_visible()
    expect(page.get_by_role("row", name="Turnover")).to_contain_text("not in the file")
    expect(page.locator("[data-legend]")).to_contain_text("Imported result")
    expect(page.locator("[data-legend]")).not_to_contain_text("before costs")
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
