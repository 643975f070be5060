"""How a policy or baseline is judged."""

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from backtest.registry import BASELINES
from marketdata.config import DatasetConfig, FeaturesConfig, Sha256, SplitConfig, Symbol
from marketdata.config_base import KEY_PATTERN, LABEL_PATTERN, UUID_PATTERN, Part, knob, later, off
from simulator.config import SimulatorConfig

BaselineKey = Annotated[str, StringConstraints(pattern=KEY_PATTERN)]
Uuid = Annotated[str, StringConstraints(pattern=UUID_PATTERN)]
OutTag = Annotated[str, StringConstraints(pattern=LABEL_PATTERN, max_length=80)]


class EvaluationConfig(Part):
    """What the report shows beside the subject."""

    baselines: tuple[BaselineKey, ...] = knob(
        BASELINES,
        "Baselines judged on the same bars, costs and caps.",
        title="Baselines",
        max_length=32,
        fail_fast=True,
    )
    benchmark: Symbol | None = knob(None, "Symbol bought and held as the benchmark; empty lets buy_hold stand for it.")
    cost_multipliers: Annotated[tuple[float, ...], later((), what="the cost sweep")] = off((), "Cost sweep.")
    stress_windows: Annotated[tuple[str, ...], later((), what="stress windows")] = off((), "Stress windows.")
    bootstrap_paths: int = knob(
        10_000,
        "Resampled paths behind the intervals of excesses.",
        unit="paths",
        ge=1000,
        le=100_000,
        advanced=True,
        title="Bootstrap paths",
    )
    metric_bootstrap_paths: Annotated[int, later(0, what="intervals of single metrics")] = off(
        0, "Paths behind metrics."
    )
    policy: Literal["best", "last"] = knob(
        "best", "Which policy is judged: best on validation, or the last.", title="Policy judged"
    )
    fixed_weights: Annotated[None, later(None, what="the fixed_weights baseline")] = off(None, "Weights of a baseline.")
    matched_random_draws: Annotated[int, later(0, what="the matched-random baseline")] = off(0, "Draws.")
    waterfall: bool = knob(
        False, "Keep what each layer did to each decision of the subject.", advanced=True, title="Decision waterfall"
    )
    capacity_multipliers: Annotated[tuple[float, ...], later((), what="capacity")] = off((), "Capacity sweep.")
    rolling_window: Annotated[int, later(0, what="rolling metrics")] = off(0, "Bars of rolling metrics.")
    trials: int = knob(
        1, "How many configurations have been tried on these test bars.", ge=1, le=100_000, advanced=True
    )
    seed: int = knob(0, "Seed of the bootstrap and the random baseline.", ge=0, le=2**31 - 1, advanced=True)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.baselines)) != len(self.baselines):
            raise ValueError("baselines must not repeat")
        return self


class LimitsConfig(Part):
    """What a run may use; enforced by a later version."""

    memory_mb: Annotated[int | None, later(None, what="a memory limit")] = off(None, "Memory.")
    time_s: Annotated[int | None, later(None, what="a time limit")] = off(None, "Time.")
    disk_mb: Annotated[int | None, later(None, what="a disk limit")] = off(None, "Disk.")


class JudgedConfig(SimulatorConfig):
    """What training and backtest share. Field order here is the canonical order of `config.yaml`."""

    dataset: DatasetConfig = Field(default_factory=DatasetConfig)
    split: SplitConfig = Field(default_factory=SplitConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    limits: LimitsConfig = Field(default_factory=LimitsConfig)
    out_tag: OutTag = knob("", "A label of your own; never a path.", title="Label")


class BacktestConfig(JudgedConfig):
    """A strategy judged on a range: `policy` is a baseline's key or a policy's id, `run_id` a finished training."""

    policy: BaselineKey | Uuid | None = knob(
        None, "A baseline's key or a policy's id; give this or a training run, not both.", title="Strategy"
    )
    run_id: Uuid | None = knob(
        None, "A finished training whose policy is judged; give this or a strategy, not both.", title="Training run"
    )
    policy_sha256: Sha256 | None = knob(
        None, "Content hash of the judged policy file; filled in by the service.", advanced=True
    )
    features: FeaturesConfig | None = knob(
        None, "What the judged policy sees; filled in from its training.", advanced=True
    )
    start: dt.date | None = knob(
        None, "First day that is judged; empty takes the split's test range.", title="Judge from"
    )
    end: dt.date | None = knob(None, "Last day that is judged; empty takes the split's test range.", title="Judge to")

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if self.policy and self.run_id:
            raise ValueError("policy and run_id exclude each other; give exactly one")
        if not self.policy and not self.run_id:
            raise ValueError("policy or run_id must be given, exactly one of them")
        if self.start and not self.end:
            raise ValueError("start needs an end; give both or neither")
        if self.end and not self.start:
            raise ValueError("end needs a start; give both or neither")
        if self.start and self.end and self.start >= self.end:
            raise ValueError(f"start {self.start} must lie before end {self.end}")
        return self
