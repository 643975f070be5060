"""A training of two seeds at work, stopped, and gone on with as a whole, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PASSWORD, Person, visit
from tests.real_site import Site

SEED = f"""
import django; django.setup()
from accounts.models import User
from rl.config import TrainConfig
from runs_app import services
user = User.objects.create_user("sam", password="{PASSWORD}")
config = TrainConfig.model_validate({{
    "dataset": {{"id": "sample/us-indices"}}, "features": {{"feature_set": ["ohlcv"], "lookback": 8}},
    "model": {{"policy": "mlp", "net_arch": [16], "n_steps": 32, "batch_size": 64}},
    "training": {{"total_timesteps": 1_024_000, "n_envs": 8, "eval_every": 102_400, "checkpoint_every": 256,
                  "seeds": [0, 5]}},
}})
print(services.start_training(owner=user, config=config).id)
"""


@pytest.fixture
def sam(browser: Browser, site: Site) -> Iterator[tuple[Person, str]]:
    run = site.python("-c", SEED).strip().splitlines()[-1]
    with visit(browser, site) as person:
        person.log_in("sam")
        person.go(f"/runs/{run}")
        yield person, run
        if (stop := person.page.get_by_role("button", name="Cancel run")).is_visible():
            stop.click()
            person.page.locator(".sb-head .sb-state", has_text="Cancelled").wait_for(timeout=60_000)


def test_from_its_first_step_to_the_run_that_goes_on(sam: tuple[Person, str]) -> None:
    person, run = sam
    page = person.page
    expect(page.locator(".sb-head .sb-state")).to_have_text("Running", timeout=60_000)
    expect(page.locator("[data-live=total]")).to_have_text("2,048,000", timeout=60_000)
    expect(page.locator("[data-live=step]")).to_have_text(re.compile(r"^[1-9][\d,]*$"), timeout=60_000)
    expect(page.locator("#record")).to_contain_text("Seed 0: Running", timeout=20_000)
    expect(page.get_by_role("heading", name="Log", exact=True)).to_be_hidden()
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        panels = page.evaluate(
            "[...document.querySelectorAll('.sb-progress, .sb-trainings, .sb-record > *, .sb-configbox')]"
            ".map(one => one.getBoundingClientRect()).map(box => [box.left, box.right, box.top, box.bottom])"
        )
        for k, (left, right, top, bottom) in enumerate(panels):
            for other_left, other_right, other_top, other_bottom in panels[:k]:
                beside = other_right <= left or right <= other_left
                assert beside or top - other_bottom >= 12 or other_top - bottom >= 12  # no panel touches another
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("#trainings").get_by_role("link", name="Seed 0").click()
    expect(page.locator("[data-live=step]")).to_have_text(re.compile(r"^[1-9][\d,]*$"), timeout=60_000)
    person.go(f"/runs/{run}")

    page.get_by_role("button", name="Cancel run").click()
    expect(page.locator("#outcome")).to_contain_text("Cancelled; 0 of 2 seeds had been trained.", timeout=60_000)
    page.get_by_role("button", name="Resume what is missing").click()
    expect(page.locator("#record")).to_contain_text("Seed 0 goes on from the checkpoint of run")
    expect(page.locator("#trainings tr", has_text="Seed 0")).to_contain_text("goes on from its run before")
    expect(page.locator("[data-live=step]")).to_have_text(re.compile(r"^[1-9][\d,]*$"), timeout=60_000)
