"""News that UTF-8 or JSON cannot carry come repaired: a row that held them could not be shown again."""

import json
from pathlib import Path
from typing import Any

import pytest

from runfiles.events import read_events
from runfiles.plain_json import plain

HEAD = '{"v":1,"n":1,"t":"","kind":"metric","phase":"train","step":null,"total":null,"rate":null,"eta_s":null,"data":'


def told(path: Path, data: str) -> Any:
    path.write_text(HEAD + data + "}\n")
    events, _ = read_events(path, 0)
    return events[0]["data"]


@pytest.mark.parametrize(
    ("data", "repaired"),
    [
        (r'{"\ud800":1}', {"?": 1}),
        (r'{"sentence":"a\udfffb"}', {"sentence": "a?b"}),
        (r'{"a":[{"b":["\ud800"]}]}', {"a": [{"b": ["?"]}]}),
        ('{"a":NaN,"b":[Infinity,-Infinity],"c":1e999}', {"a": None, "b": [None, None], "c": None}),
        ('{"a":9223372036854775807,"b":9223372036854775808}', {"a": 2**63 - 1, "b": None}),
        ('{"a":-9223372036854775808,"b":-9223372036854775809}', {"a": -(2**63), "b": None}),
        ('{"a":true,"b":null,"c":0.5,"d":"\\ud83d\\ude00"}', {"a": True, "b": None, "c": 0.5, "d": "😀"}),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_is_repaired(tmp_path: Path, data: str, repaired: Any) -> None:
    found = told(tmp_path / "events.jsonl", data)
    assert found == repaired
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8")


def test_a_number_of_the_line_beyond_64_bits_is_none(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(HEAD.replace('"step":null', f'"step":{10**30}') + "{}}\n")
    assert read_events(path, 0)[0][0]["step"] is None
    path.write_text(HEAD.replace('"n":1', f'"n":{10**30}') + "{}}\n")
    assert read_events(path, 0)[0] == []


def test_what_lies_too_deep_is_cut() -> None:
    assert plain([[["deep"]]], 2) == [[None]]


def test_an_endless_depth_does_not_stop_the_news(tmp_path: Path) -> None:
    told(tmp_path / "events.jsonl", '{"a":' * 400 + "1" + "}" * 400)
