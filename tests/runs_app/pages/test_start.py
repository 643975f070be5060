"""Starting from a form: one run for a good form; for a bad one a sentence at the field, the value kept, 400, no row."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from runs_app.models import Run
from tests.runs_app.finished_run import finished_training
from tests.runs_app.pages.reading import Reading

BOTH = ("runs:train", "runs:backtest", "runs:leaks", "runs:leaks-strategy")
# field, what is typed, the field at which the sentence stands, a word of the sentence
BAD = [
    ("dataset.symbols", "AAPL, NOPE", "dataset.symbols", "NOPE"),
    ("dataset.id", "sample/nothing", "dataset.id", "sample/nothing"),
    ("dataset.start", "2023-02-30", "dataset.start", "date"),
    ("fees.taker_bps", "-1", "fees.taker_bps", "at least 0"),
    ("fees.taker_bps", "nan", "fees.taker_bps", "finite"),
    ("exec.half_spread_bps", "inf", "exec.half_spread_bps", "finite"),
    ("exec.impact_k", "much", "exec.impact_k", "number"),
    ("episode.start_cash", "", "episode.start_cash", "number"),
    ("split.custom_ranges", "2000-01-03 2001-12-31", "split.custom_ranges", "last_year"),
    ("evaluation.benchmark", "NOPE", "evaluation.benchmark", "NOPE"),
    ("evaluation.fixed_weights", "AAPL 0.6", "evaluation.fixed_weights", "changes nothing unless"),
    ("evaluation.fixed_weights", "AAPL much", "evaluation.fixed_weights", "number"),
    ("evaluation.fixed_weights", "AAPL", "evaluation.fixed_weights", "number"),
    ("split.n_folds", "4", "split.n_folds", "belongs to walk_forward"),
]


def drawn(person: Client, start: str, query: str = "") -> dict[str, Any]:
    return Reading(person.get(reverse(start) + query).content.decode()).form()


def refused(person: Client, start: str, form: dict[str, Any]) -> Reading:
    """The page that answers a bad form, after checking that nothing was made of it."""
    before = Run.objects.count()
    answer = person.post(reverse(start), form)
    assert answer.status_code == 400
    assert Run.objects.count() == before
    assert not [path for path in settings.RUNS_ROOT.iterdir() if before == 0]
    return Reading(answer.content.decode())


@pytest.mark.parametrize("start", BOTH)
def test_a_good_form_starts_one_run(start: str, owner: Any, person: Client) -> None:
    answer = person.post(reverse(start), drawn(person, start) | {"out_tag": "first try"})
    run = Run.objects.get(owner=owner)
    assert answer.status_code == 302
    assert answer["Location"] == reverse("runs:detail", args=[run.id])
    assert run.out_tag == "first try"
    assert run.config["dataset"]["id"] == "sample/us20"
    assert len(run.config["dataset"]["symbols"]) == 20


@pytest.mark.parametrize("start", BOTH)
@pytest.mark.parametrize(("name", "typed", "at", "word"), BAD)
def test_a_bad_value_is_told_beside_its_field(
    start: str, name: str, typed: str, at: str, word: str, person: Client
) -> None:
    page_after = refused(person, start, drawn(person, start) | {name: typed})
    told = page_after.fields[at]
    assert word in " ".join(told.errors)
    assert told.invalid
    assert page_after.fields[name].values == [typed]
    others = {other for other, field in page_after.fields.items() if field.errors}
    assert others == {at}


@pytest.mark.parametrize("start", BOTH)
@pytest.mark.parametrize("typed", ["AAPL 0.6\r\nKO 0.25\r\n", "AAPL 0.6, KO  0.25"])
def test_weights_are_typed_a_symbol_a_line(start: str, typed: str, owner: Any, person: Client) -> None:
    form = drawn(person, start) | {"evaluation.baselines": ["cash", "fixed_weights"], "evaluation.fixed_weights": typed}
    assert person.post(reverse(start), form).status_code == 302
    run = Run.objects.get(owner=owner)
    assert run.config["evaluation"]["fixed_weights"] == {"AAPL": 0.6, "KO": 0.25}


@pytest.mark.parametrize("start", BOTH)
def test_reversed_dates(start: str, person: Client) -> None:
    form = drawn(person, start) | {"dataset.start": "2015-01-02", "dataset.end": "2010-01-04"}
    told = refused(person, start, form).fields["dataset.start"]
    assert "before" in " ".join(told.errors)
    assert told.values == ["2015-01-02"]


@pytest.mark.parametrize("start", BOTH)
def test_an_unknown_field_and_one_of_a_later_version_are_refused_by_name(start: str, person: Client) -> None:
    text = refused(person, start, drawn(person, start) | {"fees.kindness": "1", "episode.start_weights": "2"}).text
    assert "fees.kindness: Unknown field" in text
    assert "episode.start_weights: A starting portfolio is not in this version" in text


def test_a_founding_name_is_answered_with_the_one_to_use(person: Client) -> None:
    text = refused(person, "runs:train", drawn(person, "runs:train") | {"exec.slippage_bps": "5"}).text
    assert "use exec.half_spread_bps" in text


@pytest.mark.parametrize(
    ("name", "typed", "word"),
    [("training.total_timesteps", "1000000000", "at most"), ("training.total_timesteps", "1e5", "whole number"),
     ("features.lookback", "5000", "at most 1024"), ("training.seeds", "1, 0, 1", "repeat"),
     ("model.net_arch", "64, 0", "at least 1"), ("features.indicators", "rsi(14), nosuch(3)", "nosuch")],
)  # fmt: skip
def test_bad_training_values(name: str, typed: str, word: str, person: Client) -> None:
    told = refused(person, "runs:train", drawn(person, "runs:train") | {name: typed}).fields[name]
    assert word in " ".join(told.errors)
    assert told.values == [typed]


def test_a_lookback_longer_than_the_data(person: Client) -> None:
    form = drawn(person, "runs:train") | {"features.lookback": "1024", "dataset.start": "2019-01-02"}
    page = refused(person, "runs:train", form)
    assert page.fields["features.lookback"].errors
    assert page.fields["features.lookback"].values == ["1024"]


def test_both_policy_and_run(owner: Any, person: Client) -> None:
    run = finished_training(owner)
    form = drawn(person, "runs:backtest") | {"policy": "equal", "run_id": str(run.id)}
    page = refused(person, "runs:backtest", form)
    assert "exactly one" in " ".join(page.fields["policy"].errors)
    assert page.fields["policy"].values == ["equal"]
    assert page.fields["run_id"].values == [str(run.id)]


def test_neither_policy_nor_run(person: Client) -> None:
    page = refused(person, "runs:backtest", drawn(person, "runs:backtest") | {"policy": "", "run_id": ""})
    assert "exactly one" in " ".join(page.fields["policy"].errors)


def test_a_strangers_run_cannot_be_judged(owner: Any, other_person: Client) -> None:
    run = finished_training(owner)
    form = drawn(other_person, "runs:backtest") | {"policy": "", "run_id": str(run.id)}
    assert refused(other_person, "runs:backtest", form).fields["run_id"].errors
    assert other_person.get(f"{reverse('runs:backtest')}?run_id={run.id}").status_code == 404


def test_the_backtest_of_a_training_is_filled_in_from_it(owner: Any, person: Client) -> None:
    run = finished_training(owner)
    run.config["fees"]["taker_bps"] = 7.5
    run.save(update_fields=["config"])
    form = drawn(person, "runs:backtest", f"?run_id={run.id}")
    assert form["run_id"] == [str(run.id)]
    assert form["fees.taker_bps"] == ["7.5"]
    assert form.get("policy", [""]) == [""]


def test_the_backtest_of_a_policy_is_filled_in_from_its_training(
    owner: Any, person: Client, other_person: Client
) -> None:
    policy = finished_training(owner).policies.get()
    policy.config["exec"]["half_spread_bps"] = 3.25
    policy.save(update_fields=["config"])
    form = drawn(person, "runs:backtest", f"?policy={policy.id}")
    assert form["policy"] == [str(policy.id)]
    assert form["exec.half_spread_bps"] == ["3.25"]
    assert form.get("run_id", [""]) == [""]
    for text in (str(policy.id), "no-uuid"):
        assert other_person.get(f"{reverse('runs:backtest')}?policy={text}").status_code == 404


def test_a_baseline_that_is_given_a_policys_setting_is_refused_at_the_field(owner: Any, person: Client) -> None:
    page = refused(person, "runs:backtest", drawn(person, "runs:backtest") | {"guards.max_drawdown": "0.3"})
    assert "cannot be followed: it binds a policy, and" in page.text


def test_optional_groups_and_presets_stand_in_the_run(owner: Any, person: Client) -> None:
    typed = {"sizing.vol_target.annual_vol": "0.12", "fees.preset": "schwab", "guards.max_drawdown": "0.3"}
    assert person.post(reverse("runs:train"), drawn(person, "runs:train") | typed).status_code == 302
    config = Run.objects.get(owner=owner).config
    assert config["sizing"] | {"sizing_window": 0} == {
        "kelly": None, "vol_target": {"annual_vol": 0.12}, "sizing_window": 0, "sizing_max": 1.0,
    }  # fmt: skip
    assert (config["fees"]["preset"], config["fees"]["taker_bps"]) == ("schwab", 0.0)
    assert config["guards"]["max_drawdown"] == 0.3
