"""Every constraint of every field of ours has a sentence of ours: no phrase of the library reaches a person."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from backtest.config import BacktestConfig
from marketdata import config_base
from marketdata.config_base import sentences
from marketdata.fetch_config import DataConfig, resolved
from marketdata.files.column_map import DatasetRequest
from rl.config import TrainConfig
from tests.config.leaves import leaves, nested

MODELS = (TrainConfig, BacktestConfig, DataConfig, DatasetRequest)
RAW = re.compile(
    r"\bTuple\b|[Ii]nput should|[Ss]tring should|Value error|pydantic|Must match|\^|\bNone\b|\[key\]|"
    r"valid (string|integer|number|dictionary|tuple)|unable to"
)
ODD: list[Any] = [
    None, True, -1, 0, 1.5, 10**30, -(10**30), float("nan"), float("inf"), "", "x" * 100_000, "\x00", "a/b", "..",
    "NaN", "2020-13-45", "12:00", [], [None], [[]], ["x"] * 3000, ["\n"], [1.5] * 3000, [-1], {}, {"<b>": 1},
    {"A": "x"},
    {"": {}}, {"start": "x"}, [{"start": 1, "end": []}], b"x", "2020-01-02T10:00:00", 3, ["2020-01-02"], object(),
]  # fmt: skip


def faults(model: type[BaseModel], name: str, value: Any) -> dict[str, list[str]]:
    try:
        model.model_validate(nested({name: value}))
    except ValidationError as fault:
        return sentences(fault)
    return {}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_whatever_is_given_the_answer_is_a_sentence(model: type[BaseModel]) -> None:
    for name, _ in leaves(model):
        for value in ODD:
            for place, told in faults(model, name, value).items():
                assert "[key]" not in place, place
                for said in told:
                    assert not RAW.search(said.replace("'None'", "").replace("^GSPC", "")), (name, value, said)
                    assert said[0].isalpha() and said.endswith("."), said


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_pattern_has_its_words(model: type[BaseModel]) -> None:
    schema = repr(model.__pydantic_core_schema__)
    found = {text.encode().decode("unicode_escape") for text in re.findall(r"'pattern': '((?:[^'\\]|\\.)*)'", schema)}
    assert found and found <= config_base._PATTERN_WORDS.keys(), found - config_base._PATTERN_WORDS.keys()


def test_kinds_of_faults_that_a_list_or_a_text_can_have() -> None:
    assert {"too_long", "too_short", "string_too_long", "string_too_short"} <= set(config_base._COUNTED)
    assert faults(DataConfig, "sources", ["a"] * 9) == {
        "sources": ["Must hold at most 8 items."], "symbols": ["This field is required."],
    }  # fmt: skip


@pytest.mark.parametrize("text", ["a\nb", "a\x00", "a\x1b[31m", "a\x7f", "a\u202eb", "a\u2028b", "a\x85"])
def test_a_title_is_one_line(text: str) -> None:
    said = faults(DatasetRequest, "title", text)["title"]
    assert said == ["Must be one line of plain text without control characters."]


def test_a_note_may_have_lines_and_no_control_characters() -> None:
    assert "license_note" not in faults(DatasetRequest, "license_note", "mine\nfor research")
    assert "license_note" in faults(DatasetRequest, "license_note", "a\x1b[31m")


def test_daily_bars_have_no_depth_to_tell() -> None:
    asked = DataConfig(symbols=("KO",), start=date(1850, 1, 2))
    with pytest.raises(config_base.ConfigFault) as fault:
        resolved(asked, date(2024, 1, 2))
    assert fault.value.errors == {"start": ["Must be 1900-01-01 or later."]}


def test_every_kind_of_fault_that_we_raise_keeps_its_sentence() -> None:
    root = Path(__file__).parents[2]
    rooms = [path for room in ("marketdata", "simulator", "backtest", "rl") for path in (root / room).rglob("*.py")]
    raised = {kind for path in rooms for kind in re.findall(r'PydanticCustomError\("(\w+)"', path.read_text())}
    assert raised == set(config_base.OWN_KINDS)
