"""Every kind of bad price through the API, read by the real child: told in the report, or refused with nothing stored,
each in a sentence that names symbol, date and field. (One by one they are in tests/marketdata/files/test_bad_data.py.)
"""

from typing import Any

import pytest
from django.test import Client

from tests.marketdata.files.test_bad_data import SPAN
from tests.runs_app.api.conftest import API
from tests.runs_app.datasets.conftest import commit, named, send
from tests.runs_app.datasets.made import prices


def changed(*rows: tuple[str, str, str], without: tuple[tuple[str, str], ...] = ()) -> str:
    """Good prices in which some rows, (day, symbol, text after them), are others and some are not there."""
    texts = {f"{day},{symbol},": text for day, symbol, text in rows}
    gone = tuple(f"{day},{symbol}," for day, symbol in without)
    lines = []
    for line in prices().splitlines():
        start = ",".join(line.split(",")[:2]) + ","
        if start not in gone:
            lines.append(start + texts[start] if start in texts else line)
    return "\n".join(lines)


def answered(alice: Client, content: str) -> tuple[int, dict[str, Any], list[str]]:
    sent = send(alice, named("prices.csv", content))
    assert sent.status_code == 201, sent.content
    answer = commit(alice, sent.json())
    said = answer.json()
    told = [finding["sentence"] for finding in said.get("report", {}).get("findings", [])]
    return answer.status_code, said, told + [text for texts in said.get("errors", {}).values() for text in texts]


def says(sentences: list[str], *words: str) -> bool:
    return any(all(word in text for word in words) and text.endswith(".") for text in sentences)


def stored(alice: Client, settings: Any) -> bool:
    return bool(alice.get(f"{API}/datasets").json()["datasets"] or list(settings.DATASETS_ROOT.iterdir()))


def test_what_cannot_be_is_refused_all_at_once(alice: Client, settings: Any) -> None:
    content = changed(
        (SPAN[7], "A", "100,200,50,0,5"), (SPAN[8], "B", "100,200,-50,100,5"), (SPAN[9], "A", "100,90,110,100,5"),
        (SPAN[10], "B", "100,200,50,100,-5"), without=tuple((day, "B") for day in SPAN[40:100]),
    )  # fmt: skip
    status, said, sentences = answered(alice, f"{content}\n{SPAN[2]},A,1,2,0.5,1,1")
    assert status == 400 and said["report"]["level"] == "red"
    assert says(sentences, "A has a close of 0", SPAN[7], "above 0")
    assert says(sentences, "B has a low of -50", SPAN[8], "above 0")
    assert says(sentences, "A has a high of 90", SPAN[9], "below")
    assert says(sentences, "B has a volume of -5", SPAN[10], "negative")
    assert says(sentences, "B has no close on 60 sessions", SPAN[40])
    assert says(sentences, "A", "repeated row", SPAN[2], "other values")
    assert not stored(alice, settings)


def test_what_is_odd_is_stored_and_told(alice: Client, settings: Any) -> None:
    content = changed(
        (SPAN[7], "A", "NaN,NaN,NaN,NaN,5"), (SPAN[8], "A", ",200,50,100,5"), (SPAN[9], "B", "100,200,50,100,"),
        without=tuple((day, "B") for day in (*SPAN[:5], *SPAN[-5:])),
    )  # fmt: skip
    lines = content.splitlines()
    mixed = "\n".join([lines[0], *lines[:0:-1], lines[5], "2020-01-20,A,1,1,1,1,1"])
    status, said, sentences = answered(alice, mixed)
    assert (status, said["report"]["level"]) == (201, "amber"), sentences
    assert says(sentences, "A has no close on 1 session", SPAN[7])
    assert says(sentences, "A has a close but no open", SPAN[8])
    assert says(sentences, "B has a close but no volume", SPAN[9])
    assert says(sentences, "B has no close before", SPAN[5]) and says(sentences, "B has no close after", SPAN[-6])
    assert says(sentences, "A", "order", SPAN[-2])
    assert says(sentences, "A", "repeated row", lines[5].split(",")[0], "same values")
    assert says(sentences, "A has 1 row on days without a session of", "2020-01-20")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (changed((SPAN[7], "B", "100,inf,50,100,5")), (f"B on {SPAN[7]}", 'has a high of "inf"', "no number")),
        (changed((SPAN[7], "B", "1,1,1,oops,5")), (f"B on {SPAN[7]}", 'has a close of "oops"', "no number")),
        ("\n".join(prices().splitlines()[:3]), ("The files hold one bar", SPAN[0], "at least two")),
    ],
    ids=["infinite", "a word", "one bar"],
)
def test_what_is_no_price_or_no_series_is_refused(
    alice: Client, settings: Any, content: str, words: tuple[str, ...]
) -> None:
    status, _, sentences = answered(alice, content)
    assert status == 400 and says(sentences, *words), sentences
    assert not stored(alice, settings)
