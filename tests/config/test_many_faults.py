"""A configuration with faults without end costs little and gets a short answer."""

import json
import time

import pytest
from pydantic import ValidationError

from marketdata.config_base import MOST_FAULTS, sentences
from rl.config import TrainConfig

LISTS = [
    "dataset.symbols",
    "split.custom_ranges",
    "features.feature_set",
    "features.indicators",
    "regime.features",
    "evaluation.baselines",
    "model.net_arch",
    "training.seeds",
]


def faults_of(raw: str) -> tuple[dict[str, list[str]], float]:
    """What is told of the configuration, and the seconds of this process that it took."""
    began = time.process_time()
    with pytest.raises(ValidationError) as fault:
        TrainConfig.model_validate_json(raw, strict=True)
    found = sentences(fault.value)
    return found, time.process_time() - began


@pytest.mark.parametrize("item", [None, "a", 5])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_ends_at_its_first_fault(name: str, item: object) -> None:
    group, leaf = name.split(".")
    found, seconds = faults_of(json.dumps({group: {leaf: [item] * 200_000}}))
    assert sum(map(len, found.values())) == 1, found
    assert next(iter(found)).startswith(name) and seconds < 0.5


def test_after_fifty_faults_only_their_number() -> None:
    found, seconds = faults_of(json.dumps({f"wrong{n}": n for n in range(10_000)}))
    assert len(found) == MOST_FAULTS + 1 and found["config"] == ["And 9950 more faults."]
    assert seconds < 0.5


def test_fifty_faults_are_all_told() -> None:
    found, _ = faults_of(json.dumps({f"wrong{n}": n for n in range(MOST_FAULTS)}))
    assert len(found) == MOST_FAULTS and "config" not in found


def test_the_name_of_an_unknown_field_is_told_in_part() -> None:
    found, _ = faults_of(json.dumps({"fees": {f"{n}" + "x" * 30_000: 1 for n in range(20)}}))
    assert len(json.dumps(found)) < 10_000 and found["fees.0" + "x" * 114] == ["Unknown field; remove it."]
