"""A calibration from the form to its rates, in a real browser."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Person


def test_from_the_form_to_power_and_false_discovery_rate(person: Person) -> None:
    person.sign_up("cal")
    page = person.page
    page.get_by_role("link", name="New calibration").click()
    for name, value in (("calibration.planted_worlds", "1"), ("calibration.null_worlds", "1"),
                        ("training.total_timesteps", "4096"), ("dataset.symbols", "AAPL, KO, MSFT")):  # fmt: skip
        page.locator(f'[name="{name}"]').fill(value)
    page.get_by_role("button", name="Try it in these worlds").click()
    page.get_by_role("heading", name=re.compile("^Calibration: ")).wait_for(timeout=180_000)
    expect(page.get_by_role("row", name=re.compile("^nothing to find 0 of 1|^nothing to find 1 of 1"))).to_be_visible()
    page.locator("#calibration summary").click()
    expect(page.get_by_role("table", name="Every world")).to_contain_text("0.5")
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
