"""The bodies that docs/api.md and README.md show are taken by the API's own models and services."""

import json
import re

from backtest.config import BacktestConfig
from backtest.registry import STRATEGIES
from rl.config import CalibrateConfig, CvConfig, TrainConfig
from tests.docs.pages import blocks, page, section


def test_the_bodies_are_configurations() -> None:
    training, backtest, walk_forward, calibration = blocks(section(page("docs/api.md"), "Starting runs"), "json")
    TrainConfig.model_validate_json(training, strict=True)
    BacktestConfig.model_validate_json(backtest, strict=True)
    assert len(CalibrateConfig.model_validate_json(calibration, strict=True).calibration.worlds) == 12
    assert len(CvConfig.model_validate_json(walk_forward, strict=True).members) == 12


def test_the_body_of_the_readme_is_a_configuration() -> None:
    (body,) = re.findall(r"/backtest .* -d '(\{.*?\})'", page("README.md"))
    assert BacktestConfig.model_validate_json(body, strict=True).policy in STRATEGIES


def test_a_training_needs_nothing() -> None:
    assert TrainConfig.model_validate_json(json.dumps({}), strict=True) == TrainConfig()
