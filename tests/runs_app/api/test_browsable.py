"""The API in a browser: pages for people, nothing inline, and what a user wrote stays text."""

import re

import pytest
from django.test import Client

from accounts.models import User
from runs_app.models import Run
from tests.runs_app.api.conftest import API

HTML = {"Accept": "text/html"}
_SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<content>.*?)</script>", re.DOTALL)


@pytest.mark.parametrize("path", ["/runs", "/train", "/backtest", "/policies", "/datasets"])
def test_pages_hold_nothing_inline(as_alice: Client, path: str) -> None:
    answer = as_alice.get(API + path, headers=HTML)
    page = answer.content.decode()
    assert answer["Content-Type"].startswith("text/html")
    assert "unsafe" not in answer["Content-Security-Policy"]
    for script in _SCRIPT.finditer(page):
        is_data = 'type="application/json"' in script["attributes"]
        assert is_data or (" src=" in script["attributes"] and not script["content"].strip())
    assert "<style" not in page and not re.search(r"<[^>]*\sstyle=", page) and not re.search(r"<[^>]*\son\w+=", page)


def test_a_run_can_be_started_from_the_page(as_alice: Client) -> None:
    page = as_alice.get(f"{API}/train", headers=HTML).content.decode()
    assert 'data-method="POST"' in page or 'method="POST"' in page
    assert "application/json" in page


@pytest.mark.parametrize(
    "text", ['"><img src=x onerror=alert(1)>', "{{7*7}}", "javascript:alert(1)", "</pre><script>alert(1)</script>"]
)
def test_what_a_user_wrote_stays_text(as_alice: Client, run: Run, text: str) -> None:
    Run.objects.filter(id=run.id).update(name=text)
    page = as_alice.get(f"{API}/runs/{run.id}", headers=HTML).content.decode()
    assert "<img src=x" not in page and "<script>alert" not in page and "49" not in re.findall(r"name[^,]*", page)[0]


def test_nobody_sees_the_page_of_an_error_and_no_data(client: Client, run: Run) -> None:
    answer = client.get(f"{API}/runs/{run.id}", headers=HTML)
    assert answer.status_code == 401 and str(run.config_hash) not in answer.content.decode()


def test_no_other_origin_is_let_in(as_alice: Client, alice: User) -> None:
    for origin in ("https://evil.example", "null"):
        answer = as_alice.get(f"{API}/runs", headers={"Origin": origin})
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
