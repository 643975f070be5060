"""Configuration files are YAML 1.2 without aliases, and a fault is one sentence."""

import pytest

from runfiles.yamlio import ConfigFileError, dump, load


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("80_20", "80_20"),
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("", None),
        ("0x1F", "0x1F"),
        ("010", 10),
        ("1:30", "1:30"),
        ("2022-12-28", "2022-12-28"),
        ("-.5", -0.5),
        ("+3", 3),
        ("'1'", "1"),
    ],
)
def test_scalars(text, value):
    loaded = load(f"a: {text}")["a"]
    assert loaded == value
    assert type(loaded) is type(value)


def test_what_is_written_is_read_back():
    value = {"a": {"b": [1, 2.5, None, True, "80_20", "1e-3", "no", "2022-12-28", "é", "x: y", ""]}, "c": {}}
    assert load(dump(value)) == value


def test_keys_keep_their_order():
    assert dump({"b": 1, "a": 2}) == "b: 1\na: 2\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x 1\nb: *x", "alias"),
        ("a: 1\na: 2", "stands twice"),
        ("1: a", "must be text"),
        ("- 1", "must hold a mapping"),
        ("a: [", "no YAML"),
        ("a: !!python/object/apply:os.system [id]", "no YAML"),
        ("a: \x00", "no YAML"),
        ("[" * 5000, "no YAML"),
        ("a: " + "x" * 300_000, "larger than"),
        ("", "must hold a mapping"),
    ],
)
def test_a_fault_is_one_sentence(text, said):
    with pytest.raises(ConfigFileError, match=said):
        load(text)
