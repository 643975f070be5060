"""Take each page in light and dark, at 360 and 1440 px, into the ignored screenshots/ (`make screenshots`).

A site of its own is served with a real training at work, finished and failed ones, and two accounts, one of them empty.
"""

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright

from tests.real_site import CHROME_FLAGS, Site, chrome, served

OUT = ROOT / "screenshots"
WIDTHS = {"360": 740, "1440": 900}
PASSWORD = "copper-heron-42"

SEED = f"""
import django; django.setup()
from accounts.models import User
from tests.runs_app.finished_run import finished_training, unfinished_training
empty = User.objects.create_user("empty", password="{PASSWORD}")
user = User.objects.create_user("mira", password="{PASSWORD}")
finished_training(user, name="")
gap = "The dataset has a gap of 31 sessions in KO; choose another range."
unfinished_training(user, state="FAILED", reason="error", sentence=gap)
unfinished_training(user, state="CANCELLED", sentence="Cancelled by its owner.", name="try of a wide net")
done = finished_training(user, name="PPO us20, standard")
print(done.id)
"""


def main() -> int:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as site, sync_playwright() as playwright:
        done = site.python("-c", SEED).strip()
        browser = playwright.chromium.launch(executable_path=chrome(), args=list(CHROME_FLAGS))
        live = _start_training(browser, site)
        for theme in ("light", "dark"):
            for width, height in WIDTHS.items():
                _take_all(browser, site, theme, int(width), height, live, done)
        browser.close()
    print(f"{len(list(OUT.glob('*.png')))} pictures in {OUT}")
    return 0


def _start_training(browser: Browser, site: Site) -> str:
    """A real training that works while the pictures are taken; its id."""
    page = browser.new_page()
    _log_in(page, site, "mira")
    page.goto(f"{site.url}/train?preset=standard")
    page.fill("[name='out_tag']", "two layers")
    page.click("button[type=submit]:has-text('Train')")
    page.wait_for_selector(".sb-curve canvas", timeout=120_000)
    found = page.url.rpartition("/")[2]
    page.close()
    return found


def _take_all(browser: Browser, site: Site, theme: str, width: int, height: int, live: str, done: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
    page = context.new_page()

    def take(name: str, path: str, ready: str = "main") -> None:
        page.goto(site.url + path)
        page.wait_for_selector(ready, state="attached")
        page.wait_for_timeout(500)  # pictures only: charts draw in the next frames
        page.screenshot(path=OUT / f"{name}-{theme}-{width}.png", full_page=True)

    take("login", "/accounts/login")
    take("signup", "/accounts/signup")
    _log_in(page, site, "empty")
    take("runs-empty", "/")
    take("policies-empty", "/policies")
    context.clear_cookies()
    _log_in(page, site, "mira")
    take("runs", "/")
    take("runs-none-found", "/?q=nothing")
    take("train", "/train")
    take("cv", "/cv")
    take("backtest", f"/backtest?run_id={done}")
    take("data", "/data")
    take("run-live", f"/runs/{live}", ".sb-curve canvas")
    take("run-done", f"/runs/{done}", ".sb-curve canvas")
    take("report", f"/runs/{done}/report", "#charts[data-drawn]")
    take("policies", "/policies")
    take("datasets", "/datasets")
    take("dataset-new", "/datasets/new")
    page.goto(f"{site.url}/datasets")
    page.click("text=20 US stocks")
    take("dataset", page.url.removeprefix(site.url), "#prices[data-drawn]")
    take("not-found", "/nowhere")
    page.goto(f"{site.url}/train")
    page.fill("[name='dataset.symbols']", "AAPL, NOPE")
    page.fill("[name='training.total_timesteps']", "1000000000")
    page.click("button[type=submit]:has-text('Train')")
    page.wait_for_selector("#faults")
    page.screenshot(path=OUT / f"train-faults-{theme}-{width}.png", full_page=True)
    context.close()


def _log_in(page: Page, site: Site, name: str) -> None:
    page.goto(f"{site.url}/accounts/login")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_selector("#runs")


if __name__ == "__main__":
    sys.exit(main())
