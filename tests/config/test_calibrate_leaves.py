"""The group `calibration`: each leaf changes the hash and the worlds; what is too much is refused by name."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from marketdata.config_base import ConfigFault, config_hash, sentences
from rl.calibration_config import CalibrationConfig
from rl.config import CalibrateConfig
from tests.config.leaves import leaves, nested

OTHER = {"planted_worlds": 2, "strengths": [0.5, 0.1], "null_worlds": 3, "seed": 9}


@pytest.mark.parametrize("name", [name for name, _ in leaves(CalibrationConfig)])
def test_each_leaf_changes_the_hash(name: str) -> None:
    given = {"calibration": {name: OTHER[name]}}
    changed = CalibrateConfig.model_validate_json(json.dumps(given), strict=True)
    assert config_hash(changed) != config_hash(CalibrateConfig())
    assert name == "seed" or changed.calibration.worlds != CalibrateConfig().calibration.worlds


def test_every_leaf_is_explained() -> None:
    assert all(field.description and field.description.endswith(".") for _, field in leaves(CalibrateConfig))


@pytest.mark.parametrize(
    ("given", "name", "words"),
    [
        ({"calibration.null_worlds": 0, "calibration.planted_worlds": 0}, "calibration", "must not both be 0"),
        ({"calibration.null_worlds": 101}, "calibration.null_worlds", "at most 100"),
        ({"calibration.strengths": [1.0]}, "calibration.strengths.0", "less than 1"),
        ({"calibration.strengths": []}, "calibration.strengths", "at least 1"),
        ({"calibration.strengths": [0.5, 0.5]}, "calibration.strengths", "must not repeat"),
        ({"calibration.null_worlds": 100}, "calibration.planted_worlds", "105 worlds with 3 seeds each are 315"),
        ({"training.total_timesteps": 20_000_000}, "training.total_timesteps", "900,000,000 steps"),
        ({"calibration.worlds": 3}, "calibration.worlds", "Unknown"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], name: str, words: str) -> None:
    with pytest.raises(ValidationError) as fault:
        CalibrateConfig(**nested(given))
    found = sentences(fault.value)
    assert any(key.startswith(name) and words in " ".join(told) for key, told in found.items()), found


def test_where_nothing_could_be_shown_nothing_is_tried() -> None:
    CalibrateConfig().require(126)
    with pytest.raises(ConfigFault) as fault:
        CalibrateConfig(**nested({"evaluation.baselines": ["cash", "buy_hold"]})).require(125)
    assert list(fault.value.errors) == ["evaluation.baselines", "split.scheme"]
    assert "Equal weight" in fault.value.errors["evaluation.baselines"][0]
    assert "has 125 bars" in fault.value.errors["split.scheme"][0]
