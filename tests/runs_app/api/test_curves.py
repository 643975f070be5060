"""Training curves by column, out of real event files written by the real writer."""

import math
import struct
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from runs_app import tensorboard
from runs_app.models import Run
from tests.runs_app.api.conftest import API, folder_of


def write(folder: Path, tag: str, values: list[float], first_step: int = 0) -> None:
    writer = EventFileWriter(str(folder))
    for place, value in enumerate(values):
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        writer.add_event(Event(step=first_step + place, wall_time=1000.0 + place, summary=summary))
    writer.close()


def get(client: Client, run: Run, what: str, query: Any = None, **headers: str) -> Any:
    return client.get(f"{API}/runs/{run.id}/tb/{what}", query or {}, headers=headers)


@pytest.fixture
def tb(run: Run) -> Path:
    folder = folder_of(run) / "tb"
    write(folder, "train/loss", [3.0, 2.0, 1.0])
    return folder


def test_tags(as_alice: Client, run: Run, tb: Path) -> None:
    assert get(as_alice, run, "tags").json() == {
        "scalars": [{"tag": "train/loss", "last_step": 2, "n": 3}],
        "histograms": [],
    }


def test_one_curve_by_column(as_alice: Client, run: Run, tb: Path) -> None:
    assert get(as_alice, run, "scalars", {"tag": "train/loss"}).json() == {
        "tag": "train/loss",
        "step": [0, 1, 2],
        "wall": [1000.0, 1001.0, 1002.0],
        "value": [3.0, 2.0, 1.0],
        "n_total": 3,
        "downsampled": False,
    }


def test_a_batch_takes_repeated_and_joined_names(as_alice: Client, run: Run, tb: Path) -> None:
    write(tb, "a, with comma", [1.0])
    write(tb, "b", [1.0])
    query = [("tag", "a, with comma"), ("tags", "b,train/loss"), ("tag", "not there")]
    answer = as_alice.get(f"{API}/runs/{run.id}/tb/scalars-batch", query_params=query)
    assert list(answer.json()["series"]) == ["a, with comma", "b", "train/loss"]


def test_what_is_not_finite_is_null(as_alice: Client, run: Run, tb: Path) -> None:
    write(tb, "odd", [math.nan, math.inf, -math.inf, 1.0])
    answer = get(as_alice, run, "scalars", {"tag": "odd"})
    assert answer.json()["value"] == [None, None, None, 1.0]
    assert b"NaN" not in answer.content and b"Infinity" not in answer.content


def test_a_long_curve_is_thinned_and_says_so(as_alice: Client, run: Run, tb: Path) -> None:
    write(tb, "long", [float(n) for n in range(1000)])
    found = get(as_alice, run, "scalars", {"tag": "long", "max_points": 11}).json()
    assert found["step"] == [0, 100, 200, 300, 400, 500, 599, 699, 799, 899, 999]
    assert (found["n_total"], found["downsampled"]) == (1000, True)


def test_two_files_are_one_curve(as_alice: Client, run: Run, tb: Path) -> None:
    write(tb / "more", "train/loss", [0.5], first_step=3)
    assert get(as_alice, run, "scalars", {"tag": "train/loss"}).json()["value"] == [3.0, 2.0, 1.0, 0.5]


def test_what_grows_is_read_on(as_alice: Client, run: Run, tb: Path) -> None:
    assert get(as_alice, run, "tags").json()["scalars"][0]["n"] == 3
    place = next(tb.iterdir())
    whole = place.read_bytes()
    write(tb / "other", "train/loss", [9.0], first_step=3)
    other = next((tb / "other").iterdir())
    record = other.read_bytes()
    length = struct.unpack("<Q", record[:8])[0] + 16
    other.unlink()
    torn = whole + record[length:]
    place.write_bytes(torn[:-5])
    assert get(as_alice, run, "tags").json()["scalars"][0]["n"] == 3
    place.write_bytes(torn)
    assert get(as_alice, run, "scalars", {"tag": "train/loss"}).json()["value"] == [3.0, 2.0, 1.0, 9.0]


def test_an_unchanged_file_is_not_parsed(as_alice: Client, run: Run, tb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = get(as_alice, run, "tags")

    def never(*args: Any) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(tensorboard, "curves", never)
    again = get(as_alice, run, "tags", **{"If-None-Match": first["ETag"]})
    assert again.status_code == 304 and again.content == b"" and again["ETag"] == first["ETag"]


def test_the_tag_of_an_answer_knows_the_question_and_the_files(as_alice: Client, run: Run, tb: Path) -> None:
    def etag(query: Any) -> str:
        found: str = get(as_alice, run, "scalars-batch", query)["ETag"]
        return found

    before = etag({"tags": "a"})
    assert etag({"tags": "a"}) == before
    assert etag({"tags": "b"}) != before
    assert etag({"tags": "a", "max_points": 5}) != before
    write(tb, "more", [1.0])
    assert etag({"tags": "a"}) != before


@pytest.mark.parametrize(
    "rubbish",
    [
        struct.pack("<Q", 2**60) + b"\0" * 20,
        struct.pack("<Q", 2**63) + b"\0" * 20,
        b"\0" * 1000,
        bytes(range(256)) * 40,
        b"",
        b"\x01",
    ],
    ids=["2^60", "2^63", "zeros", "bytes", "empty", "torn"],
)
def test_a_broken_file_takes_nothing_from_the_good_one(as_alice: Client, run: Run, tb: Path, rubbish: bytes) -> None:
    (tb / "events.out.tfevents.1.x").write_bytes(rubbish)
    answer = get(as_alice, run, "scalars", {"tag": "train/loss"})
    assert answer.status_code == 200 and answer.json()["value"] == [3.0, 2.0, 1.0]


def test_a_bad_checksum_ends_the_file_there(as_alice: Client, run: Run, tb: Path) -> None:
    place = next(tb.iterdir())
    raw = bytearray(place.read_bytes())
    raw[-6] ^= 0xFF
    place.write_bytes(bytes(raw))
    assert get(as_alice, run, "scalars", {"tag": "train/loss"}).json()["value"] == [3.0, 2.0]


def test_a_link_is_not_read(as_alice: Client, run: Run, tb: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", "secret", [1.0])
    (tb / "events.out.tfevents.2.x").symlink_to(next((tmp_path / "elsewhere").iterdir()))
    (tb / "linked").symlink_to(tmp_path / "elsewhere")
    assert [tag["tag"] for tag in get(as_alice, run, "tags").json()["scalars"]] == ["train/loss"]


@pytest.mark.parametrize("replaced", ["tb", "run"])
def test_a_folder_that_was_replaced_by_a_link_is_not_read(
    as_alice: Client, run: Run, tb: Path, tmp_path: Path, replaced: str
) -> None:
    write(tmp_path / "elsewhere" / "tb", "secret", [1.0])
    place, target = (tb, tmp_path / "elsewhere" / "tb") if replaced == "tb" else (tb.parent, tmp_path / "elsewhere")
    place.rename(tmp_path / "was")
    place.symlink_to(target)
    try:
        assert get(as_alice, run, "tags").json()["scalars"] == []
        assert get(as_alice, run, "scalars", {"tag": "secret"}).status_code == 404
    finally:
        place.unlink()
        (tmp_path / "was").rename(place)


def test_a_link_that_comes_between_the_look_and_the_reading_leads_nowhere(tb: Path, tmp_path: Path) -> None:
    seen = tensorboard.signature(tb)
    write(tmp_path / "elsewhere", "secret", [1.0])
    file = next(tb.iterdir())
    file.unlink()
    file.symlink_to(next((tmp_path / "elsewhere").iterdir()))
    found = tensorboard.Curves()
    tensorboard._read(found, seen, tb)
    assert found.scalars == {}


def test_no_files_yet(as_alice: Client, run: Run) -> None:
    assert get(as_alice, run, "tags").json() == {"scalars": [], "histograms": []}
    assert get(as_alice, run, "scalars-batch", {"tags": "a"}).json() == {"series": {}}
    assert get(as_alice, run, "scalars", {"tag": "a"}).status_code == 404


@pytest.mark.parametrize(
    ("what", "query", "field"),
    [
        ("scalars", {}, "tag"),
        ("scalars", {"tag": "a", "max_points": "1"}, "max_points"),
        ("scalars", {"tag": "a", "max_points": "1e9"}, "max_points"),
        ("scalars-batch", {}, "tag"),
        ("scalars-batch", {"tags": ",".join("x" * 201)}, "tag"),
    ],
)
def test_a_question_that_is_none_is_refused(as_alice: Client, run: Run, what: str, query: Any, field: str) -> None:
    answer = get(as_alice, run, what, query)
    assert answer.status_code == 400 and answer.json()["errors"].keys() == {field}


@pytest.mark.parametrize("tag", ["../../x", "a%00", "<script>", "a%0d%0aX:%201", "__class__", "%ff%fe"])
def test_a_strange_name_is_a_missing_curve(as_alice: Client, run: Run, tb: Path, tag: str) -> None:
    answer = as_alice.get(f"{API}/runs/{run.id}/tb/scalars?tag={tag}")
    assert answer.status_code in (400, 404) and answer["Content-Type"].startswith("application/json")
