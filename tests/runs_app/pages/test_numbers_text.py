"""Numbers as text: three significant digits, signs on returns, a dash for what is undefined."""

import math

import pytest

from runfiles.metric_keys import METRICS
from runs_app.numbers_text import metric_text, percent, significant, size, span, table_number
from runs_app.templatetags.sb import cell

CASES = [
    (0.0, "0"), (1.0, "1.00"), (0.9996, "1.00"), (-0.9994, "−0.999"), (12.345, "12.3"), (99.96, "100"), (123.4, "123"),
    (12_345.6, "12,346"), (0.001234, "0.00123"), (-3.14159, "−3.14"), (8.8e-5, "0.000088"),
    (1e-6, "0.000001"), (1e-9, "< 0.000001"), (-1e-9, "> −0.000001"), (math.nan, "—"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "text"), CASES)
def test_three_digits(number: float, text: str) -> None:
    assert significant(number) == text


def test_signs() -> None:
    assert significant(0.5, signed=True) == "+0.500"
    assert significant(-0.5, signed=True) == "−0.500"
    assert percent(0.0213) == "+2.13"
    assert percent(None) == "—"


def test_a_metric_by_its_unit() -> None:
    assert metric_text(METRICS["total_return"], 0.4213).text == "+42.1"
    assert metric_text(METRICS["total_return"], -0.4213).sign == "loss"
    assert metric_text(METRICS["volatility"], 0.16).text == "16.0"
    assert metric_text(METRICS["n_orders"], 1234.0).text == "1,234"
    assert metric_text(METRICS["sharpe"], 0.123456789).full == "0.123456789"
    assert metric_text(METRICS["cost_drag_bps"], 41.27).text == "41.3"
    assert metric_text(METRICS["cost_drag_bps"], -300.0).text == "300 earned"
    assert metric_text(METRICS["cost_interest_bps"], -12.345).text == "12.3 earned"
    assert metric_text(METRICS["cost_fees_bps"], 0.0).text == "0"
    assert metric_text(METRICS["sharpe"], None).text == "—"


TABLE = [
    ("price_ref", 101.25, "101.2500"), ("entry_price", 1234.56789, "1,234.5679"), ("qty_filled", 12.345678, "12.35"),
    ("qty", 0.00123456, "0.001235"), ("qty", 12345.67, "12,346"), ("qty", 10.0, "10"), ("commission", 1.236, "1.24"),
    ("pnl_net", 1234.5, "+1,234.50"), ("pnl_net", -0.126, "−0.13"), ("pnl_net", -0.001, "0.00"), ("bars", 60.0, "60"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "number", "text"), TABLE)
def test_a_number_of_a_table_by_its_column(column: str, number: float, text: str) -> None:
    assert table_number(column, number) == text


def test_a_cell_has_all_digits_on_hover_and_survives_anything() -> None:
    assert cell("pnl_net", "-3.14159") == '<td class="n sb-loss" title="-3.14159">−3.14</td>'
    assert cell("pnl_net", "-0.001") == '<td class="n" title="-0.001">0.00</td>'
    assert [cell("qty", odd) for odd in ("nan", "1e999", "ten")] == [
        '<td class="n">nan</td>', '<td class="n">1e999</td>', '<td class="n">ten</td>'
    ]  # fmt: skip


def test_spans_and_sizes() -> None:
    assert [span(value) for value in (8.4, 72, 7384, None, -1)] == ["8 s", "1:12", "2:03:04", "—", "—"]
    assert [size(value) for value in (812, 4300, 2_350_000)] == ["812 B", "4.2 KiB", "2.24 MiB"]
