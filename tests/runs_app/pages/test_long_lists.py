"""The text of a list is cut in one pass, and a text too long to be meant is refused before it is cut."""

import time
from typing import Any

import pytest
from django.http import QueryDict

from rl.config import TrainConfig
from runs_app.forms import ConfigForm

ENOUGH = 16 * 1024
HOSTILE = [
    ("dataset.symbols", ",", ")"),
    ("dataset.symbols", " ", ")"),
    ("features.indicators", ",a", ""),
    ("features.indicators", "(", ")"),
    ("features.indicators", "),(", ""),
    ("model.net_arch", "1,", ")"),
]


def read(name: str, typed: str) -> tuple[TrainConfig | None, ConfigForm[TrainConfig], float]:
    """What the form makes of one text, and the seconds it took."""
    form = ConfigForm(TrainConfig)
    query = QueryDict(mutable=True)
    for leaf, texts in form._typed.items():
        query.setlist(leaf, texts)
    query[name] = typed
    began = time.process_time()
    return form.read(query), form, time.process_time() - began


@pytest.mark.parametrize(("name", "again", "end"), HOSTILE)
@pytest.mark.parametrize("length", [2000, ENOUGH, 100_000])
def test_a_long_text_is_answered_at_once(name: str, again: str, end: str, length: int) -> None:
    typed = (again * length)[: length - len(end)] + end
    _, form, seconds = read(name, typed)
    assert seconds < 0.2
    assert sum(len(text) for texts in form.errors.values() for text in texts) < 10_000
    if length > ENOUGH:
        assert form.errors == {name: ["Must be at most 16384 characters long."]}


@pytest.mark.parametrize(
    ("typed", "items"),
    [
        ("rsi(14), macd(12, 26, 9)", ("rsi(14)", "macd(12,26,9)")),
        (" ,; rsi(14);\n\tmacd(12,26,9) ,", ("rsi(14)", "macd(12,26,9)")),
        ("close / mean( close, 20 ) - 1, -rsi(14) gap", ("close/mean(close,20)-1", "-rsi(14)", "gap")),
        ("rsi( 14 ), rsi(014)", None),
        ("sma(20)ema(5)", None),
        ("", ()),
    ],
)
def test_items_are_cut_outside_brackets(typed: str, items: Any) -> None:
    config, form, _ = read("features.indicators", typed)
    assert (config.features.indicators if config else None) == items, form.errors
