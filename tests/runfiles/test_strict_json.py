"""A body means one thing or is refused with one sentence; nothing in it can make the server fail."""

import json
import time

import pytest

from runfiles.strict_json import MAX_DEPTH, MAX_VALUES, NotStrictJSON, _object
from runfiles.strict_json import read as read_json


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


def test_forty_thousand_keys_with_a_late_twin_are_quick() -> None:
    pairs = [(f"k{n}", n) for n in range(40_000)]
    began = time.process_time()
    with pytest.raises(NotStrictJSON, match="'k39999' stands twice"):
        _object([*pairs, pairs[-1]])
    assert time.process_time() - began < 0.2


@pytest.mark.parametrize(
    "raw",
    [
        b"[" + b"0," * 1_000_000 + b"0]",
        b"[" + b"[]," * 600_000 + b"0]",
        b'{"a":0,' + b",".join(b'"k%d":0' % n for n in range(MAX_VALUES)) + b"}",
        b'""' * 1_000_000,
        b"]" * 2_000_000,
    ],
    ids=["numbers", "lists", "keys", "texts", "ends"],
)
def test_a_body_of_too_many_values_is_refused_at_once(raw: bytes) -> None:
    began = time.process_time()
    with pytest.raises(NotStrictJSON, match="more than 20000 values and keys"):
        read_json(raw)
    assert time.process_time() - began < 0.3


def test_as_many_values_as_may_be_are_read() -> None:
    most = list(range(MAX_VALUES - 1))  # the list itself is a value too
    assert read_json(json.dumps(most).encode()) == most
    assert read_json(json.dumps(",:[{" * 100_000).encode()) == ",:[{" * 100_000
