"""A real browser against the real server. A pytest process of its own: `pytest tests/browser`.

Sync Playwright keeps a loop running in the main thread, which the rest of the suite's async tests cannot share.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.real_site import CHROME_FLAGS, Site, chrome, served

PASSWORD = "copper-heron-42"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The machine's own Chromium or Chrome: Playwright's would be another download."""
    return {**browser_type_launch_args, "executable_path": chrome(), "args": list(CHROME_FLAGS)}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("site")) as found:
        yield found


@dataclass
class Person:
    """Somebody at the browser. `faults` are what a console shows in red: errors, refused content, failed loads."""

    page: Page
    site: Site
    faults: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.site.url + path)

    def sign_up(self, name: str) -> None:
        self.go("/accounts/signup")
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign up").click()
        self.page.get_by_role("heading", name="Runs").wait_for()

    def log_in(self, name: str) -> None:
        self.go("/accounts/login")
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_role("heading", name="Runs").wait_for()

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(message.text)


@contextmanager
def visit(browser: Browser, site: Site, state: Any = None) -> Iterator[Person]:
    """A browser session, fresh or with the cookies of `state`; fails when its console showed anything in red."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, storage_state=state)
    found = Person(context.new_page(), site)
    found.page.on("console", found.hear)
    found.page.on("pageerror", lambda error: found.faults.append(str(error)))
    yield found
    context.close()
    assert found.faults == []


@pytest.fixture
def person(browser: Browser, site: Site) -> Iterator[Person]:
    with visit(browser, site) as found:
        yield found
