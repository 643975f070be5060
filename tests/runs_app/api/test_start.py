"""POST train and backtest: 201 with the run, or one sentence at the field and nothing left behind."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from runfiles import layout
from runs_app import places, services
from runs_app.models import Run, RunEvent
from tests.runs_app.api.conftest import API

BACKTEST = {"policy": "equal", "dataset": {"id": "sample/us20"}}
KINDS = ("train", "backtest", "leaks", "calibrate")


def post(client: Client, kind: str, given: Any, **headers: str) -> Any:
    raw = given if isinstance(given, (bytes, str)) else json.dumps(given)
    return client.post(f"{API}/{kind}", raw, content_type="application/json", headers=headers)


def valid(kind: str) -> dict[str, Any]:
    return copy.deepcopy(BACKTEST) if kind == "backtest" else {"training": {"seeds": [0]}}


def nothing_left(settings: Any) -> bool:
    folders = [*settings.RUNS_ROOT.iterdir(), *settings.CONTROL_ROOT.iterdir()]
    return not (Run.objects.exists() or RunEvent.objects.exists() or folders)


@pytest.mark.parametrize("kind", KINDS)
def test_it_works(as_alice: Client, alice: User, samples: Path, kind: str) -> None:
    answer = post(as_alice, kind, {**valid(kind), "out_tag": "mine"})
    assert answer.status_code == 201, answer.content
    run = Run.objects.get()
    assert answer["Location"] == answer.json()["url"] == f"{API}/runs/{run.id}"
    assert as_alice.get(answer["Location"]).json() == answer.json()
    assert (run.owner, run.kind, run.state, answer.json()["out_tag"]) == (alice, kind, "QUEUED", "mine")
    assert (places.run_folder(run.id) / layout.CONFIG).is_file()


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("dataset.symbols", {"dataset": {"symbols": ["AAPL", "NOPE"]}}),
    ("dataset.symbols", {"dataset": {"symbols": [""]}}),
    ("dataset.symbols", {"dataset": {"symbols": ["SPY;id"]}}),
    ("dataset.symbols", {"dataset": {"symbols": ["<script>alert(1)</script>"]}}),
    ("dataset.symbols", {"dataset": {"symbols": ["ААPL"]}}),
    ("dataset.symbols", {"dataset": {"symbols": [f"S{n:04d}" for n in range(10_000)]}}),
    ("dataset.id", {"dataset": {"id": "sample/none"}}),
    ("dataset.start", {"dataset": {"start": "2015-01-02", "end": "2010-01-04"}}),
    ("dataset.start", {"dataset": {"start": "2024-13-01"}}),
    ("dataset.start", {"dataset": {"start": "1700-01-01"}}),
    ("fees.taker_bps", {"fees": {"taker_bps": -1}}),
    ("fees.borrow_fee_apr", {"fees": {"borrow_fee_apr": -0.1}}),
    ("exec.participation_cap", {"exec": {"participation_cap": 0}}),
    ("exec.participation_cap", {"exec": {"participation_cap": 1.0001}}),
    ("exec.order_type", {"exec": {"order_type": "limit"}}),
    ("episode.start_cash", {"episode": {"start_cash": True}}),
    ("episode.start_cash", {"episode": {"start_cash": "1_000"}}),
    ("episode.start_cash", {"episode": {"start_cash": None}}),
    ("owner", {"owner": "somebody"}),
    ("state", {"state": "SUCCEEDED"}),
    ("id", {"id": "00000000-0000-0000-0000-000000000000"}),
    ("out_tag", {"out_tag": "../x"}),
    ("out_tag", {"out_tag": "a\x00b"}),
    ("fees.taker_fee_bps", {"fees": {"taker_fee_bps": 1}}),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("field", "change"), FAULTS, ids=[f"{n}-{field}" for n, (field, _) in enumerate(FAULTS)])
def test_a_fault_is_a_sentence_at_its_field(
    as_alice: Client, samples: Path, settings: Any, kind: str, field: str, change: Any
) -> None:
    answer = post(as_alice, kind, valid(kind) | change)
    assert answer.status_code == 400, answer.content
    errors = answer.json()["errors"]
    found = [text for name, texts in errors.items() if name == field or name.startswith(f"{field}.") for text in texts]
    assert found and all(text.endswith(".") and " " in text for text in found), errors
    assert str(settings.BASE_DIR) not in answer.content.decode()
    assert nothing_left(settings)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("features.lookback", {"dataset": {"start": "2019-01-02"}, "features": {"lookback": 1024}}),
        ("training.total_timesteps", {"training": {"total_timesteps": 10**9}}),
        ("training.total_timesteps", {"training": {"total_timesteps": 2.5}}),
        ("model.n_steps", {"model": {"n_steps": 0}}),
        ("model.policy", {"model": {"policy": "transformer"}}),
        ("reward.mode", {"reward": {"mode": "nan"}}),
        ("reward.w_drawdown", {"reward": {"w_drawdown": "0x10"}}),
        ("run_id", {"run_id": "00000000-0000-0000-0000-000000000000"}),
    ],
)
def test_a_fault_of_a_training(as_alice: Client, samples: Path, settings: Any, field: str, change: Any) -> None:
    answer = post(as_alice, "train", change)
    assert answer.status_code == 400 and field in answer.json()["errors"], answer.content
    assert nothing_left(settings)


NO_ID = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("policy", {"run_id": NO_ID}),
        ("run_id", {"run_id": NO_ID, "policy": None}),
        ("policy", {"policy": None}),
        ("policy", {"policy": "no_such_strategy"}),
        ("policy", {"policy": "../../etc/passwd"}),
        ("policy", {"policy": NO_ID}),
        ("start", {"start": "2020-02-01", "end": "2020-01-01"}),
        ("start", {"start": "2020-01-02"}),
        ("end", {"end": "2020-01-02"}),
        ("end", {"start": "2020-01-04", "end": "2020-01-05"}),  # a weekend
        ("start", {"start": "0001-01-01", "end": "9999-12-31"}),
        ("training", {"training": {"total_timesteps": 1000}}),
    ],
)
def test_a_fault_of_a_backtest(as_alice: Client, samples: Path, settings: Any, field: str, change: Any) -> None:
    answer = post(as_alice, "backtest", BACKTEST | change)
    assert answer.status_code == 400 and answer.json()["errors"].get(field), answer.content
    assert nothing_left(settings)


@pytest.mark.parametrize(
    "raw",
    ["[]", '"x"', "1", "null", '{"a":1,"a":2}', '{"episode": {"start_cash": NaN}}', '{"fees": {"taker_bps": 1e400}}',
     "[" * 100_000, b'{"x": "\xff"}', b'{"x":' + b"9" * 5000 + b"}", "{"],
)  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_is_no_configuration(as_alice: Client, samples: Path, settings: Any, kind: str, raw: Any) -> None:
    answer = post(as_alice, kind, raw)
    assert answer.status_code == 400
    assert answer.json()["detail"] and answer.json().keys() == {"detail", "errors"}
    assert nothing_left(settings)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_only_json_is_taken(as_alice: Client, settings: Any, content_type: str) -> None:
    answer = as_alice.post(f"{API}/train", b"{}", content_type=content_type)
    assert answer.status_code == 415 and answer.json().keys() == {"detail", "errors"}
    assert nothing_left(settings)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_key_gives_the_same_run(as_alice: Client, samples: Path, kind: str) -> None:
    first = post(as_alice, kind, valid(kind), **{"Idempotency-Key": "k1"})
    again = post(as_alice, kind, valid(kind), **{"Idempotency-Key": "k1"})
    other = post(as_alice, kind, valid(kind), **{"Idempotency-Key": "k2"})
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert again.json()["id"] == first.json()["id"] != other.json()["id"]
    assert again["Location"] == first["Location"]
    assert Run.objects.count() == 2


@pytest.mark.parametrize("other", [{"nonsense": 1}, {"policy": "cash"}, {}])
def test_a_key_is_of_one_body(as_alice: Client, samples: Path, other: dict[str, Any]) -> None:
    first = post(as_alice, "backtest", BACKTEST, **{"Idempotency-Key": "k"}).json()["id"]
    answer = post(as_alice, "backtest", other, **{"Idempotency-Key": "k"})
    said = f"This Idempotency-Key belongs to a backtest that was asked for with another body, run {first}; use another."
    assert (answer.status_code, answer.json()) == (409, {"detail": said, "errors": {}})
    assert Run.objects.count() == 1


def test_order_and_white_space_are_no_other_body(as_alice: Client, samples: Path) -> None:
    texts = (json.dumps(BACKTEST), json.dumps(dict(reversed(BACKTEST.items())), indent=3))
    send = [as_alice.post(f"{API}/backtest", text, content_type="application/json", headers={"Idempotency-Key": "k"})
            for text in texts]  # fmt: skip
    assert [answer.status_code for answer in send] == [201, 200]


def test_a_row_of_before_answers_to_its_key_alone(as_alice: Client, samples: Path) -> None:
    post(as_alice, "backtest", BACKTEST, **{"Idempotency-Key": "k"})
    Run.objects.update(body_sha256="")
    assert post(as_alice, "backtest", {"policy": "cash"}, **{"Idempotency-Key": "k"}).status_code == 200


def test_a_body_without_a_key_is_not_kept(as_alice: Client, samples: Path) -> None:
    post(as_alice, "backtest", BACKTEST)
    assert Run.objects.get().body_sha256 == ""


def test_a_key_belongs_to_one_kind_and_one_person(as_alice: Client, as_bob: Client, samples: Path) -> None:
    mine = post(as_alice, "train", {}, **{"Idempotency-Key": "k"})
    assert post(as_alice, "backtest", BACKTEST, **{"Idempotency-Key": "k"}).status_code == 409
    theirs = post(as_bob, "train", {}, **{"Idempotency-Key": "k"})
    assert theirs.status_code == 201 and theirs.json()["id"] != mine.json()["id"]


@pytest.mark.parametrize(("other", "code"), [("backtest", 200), ("train", 409)])
def test_a_key_that_another_request_takes_meanwhile(
    as_alice: Client, samples: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, other: str, code: int
) -> None:
    """Both saw the key free: the later one is answered as if it had come after the first had ended."""
    real, first = services._fill, []

    def fill(run: Run) -> None:
        if not first:
            first.append(None)
            first[0] = post(as_alice, other, valid(other), **{"Idempotency-Key": "k"}).json()["id"]
        real(run)

    monkeypatch.setattr(services, "_fill", fill)
    answer = post(as_alice, "backtest", BACKTEST, **{"Idempotency-Key": "k"})
    assert answer.status_code == code
    assert code == 409 or answer.json()["id"] == first[0]
    assert [str(run.id) for run in Run.objects.filter(idempotency_key="k")] == first


@pytest.mark.parametrize("key", ["x" * 129, "é", "a\tb"])
def test_a_key_that_is_none_is_refused(as_alice: Client, settings: Any, key: str) -> None:
    answer = post(as_alice, "train", {}, **{"Idempotency-Key": key})
    assert answer.status_code == 400 and answer.json()["errors"].keys() == {"Idempotency-Key"}
    assert nothing_left(settings)


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_without_the_token_of_its_page_starts_nothing(alice: User, settings: Any, kind: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert post(strict, kind, valid(kind)).status_code == 403
    assert post(strict, kind, valid(kind), Origin="https://evil.example").status_code == 403
    assert nothing_left(settings)


def test_a_fault_of_ours_says_nothing_of_the_inside(as_alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from runs_app.api import create

    def broken(**given: Any) -> Run:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(create.Train, "service", staticmethod(broken))
    as_alice.raise_request_exception = False
    answer = post(as_alice, "train", {})
    assert answer.status_code == 500
    assert answer.json() == {"detail": "Something failed on the server.", "errors": {}}
    assert services.start_training is not broken


@pytest.mark.parametrize("given", [{"policy": "my_module:MyStrategy"}, {"policy": "os.path:join"}])
@pytest.mark.parametrize("field", ["policy", "evaluation.baselines"])
def test_code_is_named_on_the_command_line_alone(
    as_alice: Client, samples: Path, settings: Any, given: dict[str, str], field: str
) -> None:
    asked: dict[str, Any] = (
        given if field == "policy" else {"policy": "equal", "evaluation": {"baselines": [given["policy"]]}}
    )
    answer = post(as_alice, "backtest", asked)
    assert answer.status_code == 400 and nothing_left(settings)
    ((name, (sentence,)),) = answer.json()["errors"].items()
    assert name.startswith(field) and sentence.startswith("A strategy of your own is named on the command line alone")
