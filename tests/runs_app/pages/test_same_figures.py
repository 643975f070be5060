"""A figure and a verdict read the same on the site's page and in `report.html`."""

import pytest
from django.template.loader import render_to_string

from backtest import report_numbers
from runfiles import excess_words
from runfiles.metric_keys import METRICS
from runs_app import numbers_text
from runs_app.templatetags import sb

VALUES = (
    None, 0.0, 1.0, 12.0, 0.5, 12.345, 0.9996, 99.96, 123.4, 12_345.6, 0.00123, 8.8e-5, 1e-6, 1e-9,
    -1.0, -0.25, -12.345, -1e-9, 1e9,
)  # fmt: skip


@pytest.mark.parametrize("key", METRICS)
def test_a_metric_reads_the_same(key: str) -> None:
    page = [numbers_text.metric_text(METRICS[key], value).text for value in VALUES]
    assert page == [report_numbers.metric_text(key, value) for value in VALUES]


def test_a_verdict_reads_the_same() -> None:
    assert set(excess_words.TAGS) == set(sb.VERDICT_WORDS) == {"too_short", "worse", "shown", "not_shown"}
    for code, words in excess_words.TAGS.items():
        page = render_to_string("runs/_verdict.html", {"verdict": {"code": code}})
        assert words in page
