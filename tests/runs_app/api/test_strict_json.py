"""A body means one thing or is refused with one sentence; nothing in it can make the server fail."""

import json

import pytest

from runs_app.api.parser import MAX_DEPTH, NotStrictJSON, read_json


@pytest.mark.parametrize(
    "text",
    ['{"a": 1}', "[]", '"x"', "-0.5e-3", '{"a": "]]]]{{{"}', '{"é": "\\u00e9\\ud83d\\ude00"}', "9223372036854775807"],
)
def test_it_reads_what_json_reads(text: str) -> None:
    assert read_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b'{"x": Infinity}', "Infinity is no JSON number"),
        (b'{"x": -Infinity}', "-Infinity is no JSON number"),
        (b'{"x": NaN}', "NaN is no JSON number"),
        (b'{"x": 1e400}', "too large"),
        (b'{"x": -1e400}', "too large"),
        (b'{"a": 1, "a": 2}', "stands twice"),
        (b'{"b": [{"a": 1, "a": 1}]}', "stands twice"),
        (b'{"x": "\xff\xfe"}', "UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"x": "\\ud800"}', "surrogate"),
        (b'{"\\uDFFF": 1}', "surrogate"),
        (b'{"x":' + b"9" * 5000 + b"}", "64 bits"),
        (b'{"x": 9223372036854775808}', "64 bits"),
        (b"{x: 1}", "no JSON"),
        (b"{} {}", "no JSON"),
        (b"[1,]", "no JSON"),
        ('{"x": ١}'.encode(), "no JSON"),
        (b'{"x": "a\nb"}', "no JSON"),
        (b"", "no JSON"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":' * 100_000, "nested deeper"),
        (b'{"a":[' * 50_000 + b"]}" * 50_000, "nested deeper"),
    ],
)
def test_it_refuses_with_a_sentence(raw: bytes, says: str) -> None:
    with pytest.raises(NotStrictJSON, match=says):
        read_json(raw)


def test_depth_is_counted_outside_strings() -> None:
    deepest = b"[" * MAX_DEPTH + b'"[[["' + b"]" * MAX_DEPTH
    assert read_json(deepest) == json.loads(deepest)
    with pytest.raises(NotStrictJSON, match="nested"):
        read_json(b"[" + deepest + b"]")


def test_an_open_string_of_two_megabytes_is_quick() -> None:
    with pytest.raises(NotStrictJSON):
        read_json(b'{"x": "' + b"\\\\[" * 700_000)
