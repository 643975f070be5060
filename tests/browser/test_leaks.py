"""A leak check from the form to its result, in a real browser."""

from playwright.sync_api import expect

from tests.browser.conftest import Person


def test_from_the_form_to_every_check(person: Person) -> None:
    person.sign_up("lee")
    page = person.page
    page.get_by_role("link", name="New leak check").click()
    page.get_by_role("link", name="Check a trained policy or a baseline").click()
    page.get_by_role("button", name="Check for leaks").click()
    page.get_by_role("heading", name="Leak gate: no leak found").wait_for(timeout=120_000)
    expect(page.get_by_role("row", name="Nothing knows the next bar")).to_contain_text("Passed")
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
