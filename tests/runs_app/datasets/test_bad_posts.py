"""What a configuration asks of a person's data that they cannot give: a sentence at its field, and no run."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from marketdata.store import Store
from runs_app import datasets
from runs_app.models import Run
from tests.marketdata.build import meta
from tests.marketdata.files.build import FULL, LONG, WIDE, built
from tests.runs_app.api.conftest import API
from tests.runs_app.datasets.made import SESSIONS, prices

SPAN = [str(day) for day in SESSIONS]
WHOLE: dict[str, Any] = {"policy": "equal", "dataset": {"id": "files/mine"}, "start": SPAN[20], "end": SPAN[-1]}
CLOSES = "\n".join(",".join(line.split(",")[i] for i in (0, 1, 5)) for line in prices().splitlines())
NO_VOLUME = "\n".join(line.rpartition(",")[0] for line in prices().splitlines())
NAMES = [f"S{number:03d}" for number in range(1000)]
MANY = f"date,{','.join(NAMES)}\n" + "\n".join(
    f"{day}," + ",".join(f"{10 + (place * 7 + number) % 13 / 100:.2f}" for number in range(1000))
    for place, day in enumerate(SPAN[:40])
)


def put(owner: Any, folder: Path, settings: Any, content: str) -> None:
    """A stored dataset of the person's, as a commit leaves it."""
    header = content.splitlines()[0]
    columns = FULL if "open" in header and "volume" in header else LONG if "symbol" in header else WIDE
    if "open" in header and "volume" not in header:
        columns = {name: column for name, column in FULL.items() if name != "volume"}
    store = Store(settings.DATASETS_ROOT)
    version = store.put(built(folder, content, columns).bars, meta("files/mine"))
    datasets.add(owner, "files/mine", version, title="Mine", details={"survivorship": "unknown"})


def fixed(**weights: float) -> dict[str, Any]:
    return {"policy": "fixed_weights", "evaluation": {"fixed_weights": weights}}


BAD = [
    ("no volume, impact", NO_VOLUME, {"exec": {"impact_k": 100}}, "exec.impact_k", ("needs volume", "auto")),
    ("no volume, cap", NO_VOLUME, {"exec": {"participation_cap": 0.1}}, "exec.participation_cap", ("needs volume",)),
    ("no open", CLOSES, {"exec": {"fill": "next_open"}}, "exec.fill", ("opening prices", "next_close")),
    ("no high and low", CLOSES, {"exec": {"order_type": "limit"}}, "exec.order_type", ("open, high, low",)),
    ("judged before the data", None, {"start": "2019-01-02"}, "start", (SPAN[0], SPAN[-1])),
    ("judged after the data", None, {"end": "2031-01-02"}, "end", (SPAN[0], SPAN[-1])),
    ("data before the data", None, {"dataset": {"id": "files/mine", "start": "2019-01-02"}}, "dataset.start",
     ("files/mine", SPAN[0], SPAN[-1])),
    ("one bar chosen", None, {"dataset": {"id": "files/mine", "start": SPAN[5], "end": SPAN[5]}}, "dataset.start",
     (SPAN[5], "before")),
    ("one bar judged", None, {"start": SPAN[40], "end": SPAN[41]}, "end", (SPAN[40], SPAN[41])),
    ("reversed", None, {"start": SPAN[50], "end": SPAN[40]}, "start", (SPAN[50], SPAN[40])),
    ("a symbol that is not there", None, {"dataset": {"id": "files/mine", "symbols": ["A", "C"]}}, "dataset.symbols",
     ("C", "A, B")),
    ("weights over the caps", None, fixed(A=0.2, B=1.4), "evaluation.fixed_weights", ("B is 1.4",)),
    ("weights of no symbol", None, fixed(C=0.2), "evaluation.fixed_weights", ("C",)),
    ("a benchmark that is not there", None, {"evaluation": {"benchmark": "SPY"}}, "evaluation.benchmark", ("SPY",)),
    ("code of one's own", None, {"policy": "my_module:Mine"}, "policy", ("command line alone",)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "change", "field", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_it_is_refused_at_its_field(
    alice: Client, owner: Any, settings: Any, tmp_path: Path, content: str | None, change: dict[str, Any], field: str,
    words: tuple[str, ...],
) -> None:  # fmt: skip
    put(owner, tmp_path, settings, content or prices())
    answer = alice.post(f"{API}/backtest", WHOLE | change, content_type="application/json")
    assert answer.status_code == 400, answer.content
    errors = answer.json()["errors"]
    found = [text for name, texts in errors.items() if name.startswith(field) for text in texts]
    assert any(all(word in text for word in words) and text.endswith(".") for text in found), errors
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("content", "change"),
    [(prices("A"), {}), (MANY, {"start": SPAN[20], "end": SPAN[39]}), (NO_VOLUME, {}), (CLOSES, {})],
    ids=["one asset", "1,000 assets", "no volume, none needed", "closes alone"],
)
def test_what_is_unusual_and_right_is_taken(
    alice: Client, owner: Any, settings: Any, tmp_path: Path, content: str, change: dict[str, Any]
) -> None:
    put(owner, tmp_path, settings, content)
    answer = alice.post(f"{API}/backtest", WHOLE | change, content_type="application/json")
    assert answer.status_code == 201, answer.content
