"""The whole way of a new user: sign up, train, watch it live, read the report, backtest the policy."""

import re

from playwright.sync_api import Page, expect

from backtest.registry import DEFAULT, POLICY, STRATEGIES
from tests.browser.conftest import Person

LABELS = [spec.label for key, spec in STRATEGIES.items() if key in (POLICY, *DEFAULT)]
TRAINED_MS = 300_000
WATCH = """() => {
  const run = document.getElementById("run");
  const text = (name) => run.querySelector(`[data-live="${name}"]`).textContent.trim();
  window.seen = [];
  const look = () => window.seen.push({
    state: run.querySelector(".sb-state").textContent, step: text("step"), total: text("total"), rate: text("rate"),
    eta: text("eta"), elapsed: text("elapsed"), phase: run.querySelector("[aria-current=step]")?.dataset.phase ?? "",
    cancel: !run.querySelector("[data-cancel]").hidden,
  });
  look();
  new MutationObserver(look).observe(run, { subtree: true, childList: true, characterData: true, attributes: true });
}"""
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
    expect(page.locator("tbody tr")).to_have_count(2)  # the best on validation, and the last


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
    page.locator("#run [data-live='elapsed']").wait_for(state="attached")  # the address is there before its page
    page.evaluate(WATCH)


def watch_it_live(page: Page) -> None:
    """What the screen showed from the start to the end, as its own changes tell it: nothing depends on a lucky look."""
    expect(page.locator("#run")).to_have_attribute("data-link", "live")
    expect(page.locator(".sb-curve canvas").first).to_be_visible(timeout=TRAINED_MS)
    expect(page.locator("[data-log]")).to_contain_text("sample/us20")
    expect(page.locator("#run .sb-state")).to_have_text("Succeeded", timeout=TRAINED_MS)
    seen = page.evaluate("window.seen")
    training = [look for look in seen if look["state"] == "Running" and look["phase"] == "train"]
    assert training
    assert all(look["cancel"] for look in training)
    steps = [int(look["step"].replace(",", "")) for look in training if NUMBER.match(look["step"])]
    assert steps == sorted(steps)
    assert len(set(steps)) >= 2
    assert "20,480" in {look["total"] for look in training}
    assert any(NUMBER.match(look["rate"]) and look["eta"] != "—" for look in training)
    assert any(look["elapsed"] != "—" for look in training)
    assert [look["state"] for look in seen][-1] == "Succeeded"


def see_the_verdict_without_reload(page: Page) -> str:
    verdict = page.locator("#outcome .sb-verdict-line")
    expect(verdict).to_contain_text("Verdict")
    expect(page.get_by_role("button", name="Cancel run")).to_be_hidden()
    expect(page.locator("#record").get_by_role("link", name="summary.json").first).to_be_visible()
    assert page.evaluate("window.seen.length") > 0  # gone after a reload
    return verdict.inner_text()


def read_the_report(page: Page, headline: str) -> list[str]:
    page.get_by_role("link", name="Read the report").click()
    expect(page.locator(".sb-verdict-line")).to_have_text(headline)
    expect(page.locator(".sb-stamps")).to_contain_text("Survivors only")
    table = page.locator(".sb-metric-table").first
    heads = [head.split("\n") for head in table.locator("thead th").all_inner_texts()[1:]]
    assert [head[0] for head in heads] == LABELS
    assert [head[0] for head in heads if head[1:] == ["shown only"]] == ["Benchmark", "First symbol"]
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
