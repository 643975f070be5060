"""HEAD of whatever can be looked at answers as GET does, without the content."""

from typing import Any

import pytest
from django.test import Client

from tests.runs_app.finished_run import finished_training

PAGES = ["/", "/policies", "/datasets", "/runs/{run}", "/runs/{run}/report", "/runs/{run}/report/curves",
         "/runs/{run}/report/orders", "/train", "/backtest", "/healthz"]  # fmt: skip


@pytest.mark.django_db
def test_head_is_get_without_content(owner: Any, person: Client) -> None:
    run = finished_training(owner)
    for page in PAGES:
        address = page.format(run=run.id)
        assert person.get(address).status_code == 200, address
        answer = person.head(address)
        assert (answer.status_code, answer.content) == (200, b""), address
    assert person.head("/readyz").status_code in (200, 503)  # without a reconciler at work
