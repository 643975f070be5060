"""A reader sees the old file or the new one, whatever happens to the writer."""

import json

import pytest

from runfiles import atomic


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    return path


def test_a_write_replaces_the_whole_file(folder):
    path = folder / "a.json"
    atomic.write_json(path, {"b": 1, "a": [None, "é"]})
    atomic.write_json(path, {"c": 2})
    assert json.loads(path.read_text()) == {"c": 2}
    assert [p.name for p in folder.iterdir()] == ["a.json"]


def test_a_writer_that_dies_leaves_the_old_file_and_nothing_else(folder):
    path = folder / "a.txt"
    atomic.write_text(path, "old")
    with pytest.raises(KeyboardInterrupt), atomic.replacing(path) as stream:
        stream.write(b"half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert [p.name for p in folder.iterdir()] == ["a.txt"]


def test_a_number_that_json_does_not_have_is_not_written(folder):
    with pytest.raises(ValueError, match="JSON compliant"):
        atomic.write_json(folder / "a.json", {"x": float("nan")})
    assert list(folder.iterdir()) == []


def test_the_same_value_has_the_same_bytes(folder):
    atomic.write_json(folder / "a", {"x": 0.1, "y": 2})
    atomic.write_json(folder / "b", {"y": 2, "x": 0.1})
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()
