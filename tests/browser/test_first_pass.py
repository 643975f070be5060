"""The whole way of a new user: sign up, train, watch it live, read the report, backtest the policy."""

import re

from playwright.sync_api import Page, expect

from backtest.registry import STRATEGIES
from tests.browser.conftest import Person

LABELS = [spec.label for spec in STRATEGIES.values()]
TRAINED_MS = 300_000
NUMBER = re.compile(r"^[+−]?[\d,.]+$")


def test_sign_up_train_report_backtest(person: Person) -> None:
    page = person.page
    person.sign_up("newcomer")
    expect(page.get_by_text("No runs yet.")).to_be_visible()
    start_training(page)
    watch_it_live(page)
    headline = see_the_verdict_without_reload(page)
    metrics = read_the_report(page, headline)
    backtest_the_policy(page, metrics)
    page.get_by_role("link", name="Runs", exact=True).first.click()
    expect(page.locator("#runs tbody tr")).to_have_count(2)
    page.get_by_role("link", name="Policies").click()
    expect(page.locator("tbody tr")).to_have_count(1)


def start_training(page: Page) -> None:
    """Quick look is what a new user is offered; made smaller still, it is the same path in less time."""
    page.get_by_role("link", name="New training").first.click()
    expect(page.get_by_role("link", name=re.compile("Quick look"))).to_have_attribute("aria-current", "true")
    page.fill("[name='training.total_timesteps']", "20000")
    page.fill("[name='training.eval_every']", "8000")
    page.fill("[name='out_tag']", "browser test")
    expect(page.locator("[data-changed]")).to_have_text("3 fields changed")
    page.get_by_role("button", name="Train").click()
    expect(page).to_have_url(re.compile(r"/runs/[0-9a-f-]{36}$"))
    page.evaluate("window.notReloaded = true")


def watch_it_live(page: Page) -> None:
    expect(page.locator("#run")).to_have_attribute("data-link", "live")
    expect(page.locator("#run .sb-state")).to_have_text("Running", timeout=60_000)
    expect(page.locator("[data-live='total']")).to_have_text("20,480", timeout=60_000)
    expect(page.locator("[data-phase='train']")).to_have_attribute("aria-current", "step")
    first = int(page.locator("[data-live='step']").inner_text().replace(",", ""))
    expect(page.locator("[data-live='rate']")).to_have_text(NUMBER)
    page.wait_for_function(
        "first => Number(document.querySelector('[data-live=step]').textContent.replaceAll(',', '')) > first", arg=first
    )
    assert page.locator("[data-live='bar']").get_attribute("max") is not None
    expect(page.locator("[data-log]")).to_contain_text("sample/us20")
    expect(page.locator(".sb-curve canvas").first).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Cancel run")).to_be_visible()


def see_the_verdict_without_reload(page: Page) -> str:
    expect(page.locator("#run .sb-state")).to_have_text("Succeeded", timeout=TRAINED_MS)
    verdict = page.locator("#outcome .sb-verdict-line")
    expect(verdict).to_contain_text("Verdict")
    expect(page.get_by_role("button", name="Cancel run")).to_be_hidden()
    expect(page.locator("#record").get_by_role("link", name="summary.json").first).to_be_visible()
    assert page.evaluate("window.notReloaded") is True
    return verdict.inner_text()


def read_the_report(page: Page, headline: str) -> list[str]:
    page.get_by_role("link", name="Read the report").click()
    expect(page.locator(".sb-verdict-line")).to_have_text(headline)
    expect(page.locator(".sb-stamps")).to_contain_text("Survivors only")
    table = page.locator(".sb-metric-table").first
    assert table.locator("thead th").all_inner_texts()[1:] == LABELS
    expect(page.locator("#charts")).to_have_attribute("data-drawn", str(len(LABELS)))
    assert page.locator("[data-chart='equity'] canvas").count() > 0
    page.get_by_role("button", name="Linear").click()
    expect(page.get_by_role("button", name="Linear")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Sharpe", exact=True).focus()
    expect(page.locator("[data-definition]")).to_contain_text("Mean return above cash over its standard deviation")
    orders = page.locator("#orders tbody tr")
    expect(orders).to_have_count(20)
    first = orders.first.inner_text()
    page.locator("#orders").get_by_role("link", name="Later").click()
    expect(orders.first).not_to_have_text(first)
    return policy_column(page)


def backtest_the_policy(page: Page, metrics: list[str]) -> None:
    """The same policy on the same range must give the same table."""
    page.get_by_role("link", name="Backtest this policy").click()
    expect(page.get_by_text("Filled in from")).to_be_visible()
    page.get_by_role("button", name="Backtest").click()
    expect(page.locator("#run .sb-state")).to_have_text("Succeeded", timeout=120_000)
    page.get_by_role("link", name="Read the report").click()
    expect(page.locator(".sb-metric-table").first).to_be_visible()
    assert policy_column(page) == metrics


def policy_column(page: Page) -> list[str]:
    return page.locator(".sb-metric-table td.sb-subject span").evaluate_all("cells => cells.map(cell => cell.title)")
