"""How a policy or baseline is judged."""

import datetime as dt
import itertools
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from backtest.crises import CRISES, window
from backtest.registry import BASELINES, DEFAULT, MATCHED_RANDOM
from marketdata.config import DatasetConfig, FeaturesConfig, Sha256, SplitConfig, Symbol
from marketdata.config_base import KEY_PATTERN, LABEL_PATTERN, UUID_PATTERN, Part, knob, later, off
from simulator.config import SimulatorConfig
from simulator.config_groups import CAP_SLACK, EpisodeConfig


def _no_code(value: Any) -> Any:
    """A dotted path names code; nobody but the person at the machine may say what code runs."""
    if isinstance(value, str) and (":" in value or "." in value):
        sentence = "A strategy of your own is named on the command line alone: python -m backtest.run … --strategy"
        raise PydanticCustomError("no_code", "{sentence}", {"sentence": sentence})
    return value


BaselineKey = Annotated[str, StringConstraints(pattern=KEY_PATTERN), BeforeValidator(_no_code)]
Uuid = Annotated[str, StringConstraints(pattern=UUID_PATTERN)]
Multiplier = Annotated[float, Field(ge=0, le=1e6)]
Delay = Annotated[int, Field(ge=1, le=20)]
StressWindow = Annotated[str, StringConstraints(max_length=64)]
OutTag = Annotated[str, StringConstraints(pattern=LABEL_PATTERN, max_length=80)]

MOST_COST = 100  # as a multiple of the configured ones
LEAST_BARS = 126
"""Of a verdict; fewer are `too_short`."""
RISING = {"cost_multipliers": "0, 1, 2, 5", "delays": "1, 2", "capacity_multipliers": "0, 1, 2, 5"}
LEAST_WINDOW, MOST_WINDOW = 10, 100_000
FIXED = "fixed_weights"
MOST_WEIGHTS = 1000  # as many as symbols


def _countable(value: Any) -> Any:
    """Refuse what is too long before each item is looked at, and what is empty."""
    if isinstance(value, dict) and not 1 <= len(value) <= MOST_WEIGHTS:
        raise PydanticCustomError("weights", "Must name 1 to 1,000 symbols with a weight each")
    return value


Weight = Annotated[float, Field(ge=-20.0, le=20.0)]
Weights = Annotated[dict[Symbol, Weight], BeforeValidator(_countable)]


class EvaluationConfig(Part):
    """What the report shows beside the subject."""

    baselines: tuple[BaselineKey, ...] = knob(
        DEFAULT,
        "Baselines judged on the same bars, costs and caps.",
        title="Baselines",
        max_length=32,
        fail_fast=True,
    )
    benchmark: Symbol | None = knob(None, "Symbol bought and held as the benchmark; empty lets buy_hold stand for it.")
    cost_multipliers: tuple[Multiplier, ...] = knob(
        (0.0, 1.0, 2.0, 5.0),
        "Fees, spread and impact times these, everything run again; empty leaves out the sweep and the break-even.",
        unit="×",
        advanced=True,
        title="Cost sweep",
        max_length=16,
    )
    delays: tuple[Delay, ...] = knob(
        (1, 2),
        "Bars that every decision comes later than configured, everything run again; empty leaves it out.",
        unit="bars",
        advanced=True,
        title="Delays",
        max_length=16,
    )
    stress_windows: tuple[StressWindow, ...] = knob(
        tuple(CRISES),
        "Crises by name or days such as 2015-01-02..2015-06-30, each run as a book of its own from cash.",
        advanced=True,
        title="Stress windows",
        max_length=64,
    )
    bootstrap_paths: int = knob(
        10_000,
        "Resampled paths behind the intervals of excesses.",
        unit="paths",
        ge=1000,
        le=100_000,
        advanced=True,
        title="Bootstrap paths",
    )
    metric_bootstrap_paths: int = knob(
        2000,
        "Resampled paths behind the intervals of single metrics.",
        unit="paths",
        ge=100,
        le=100_000,
        advanced=True,
        title="Metric bootstrap paths",
    )
    policy: Literal["best", "last"] = knob(
        "best", "Which policy is judged: best on validation, or the last.", title="Policy judged"
    )
    fixed_weights: Weights | None = knob(
        None,
        "Weights of the fixed_weights baseline by symbol, as fractions; the rest is cash.",
        advanced=True,
        title="Fixed weights",
    )
    matched_random_draws: int = knob(
        500,
        "Draws of matched_random: the subject's own decisions of earlier dates.",
        unit="draws",
        ge=100,
        le=10_000,
        advanced=True,
        title="Matched random draws",
    )
    waterfall: bool = knob(
        False, "Keep what each layer did to each decision of the subject.", advanced=True, title="Decision waterfall"
    )
    capacity_multipliers: tuple[Multiplier, ...] = knob(
        (1.0, 10.0, 100.0, 1000.0),
        "Start cash times these, everything run again; needs volume, else it is told as not modelled.",
        unit="×",
        advanced=True,
        title="Capacity",
        max_length=16,
    )
    rolling_window: Literal["auto"] | int = knob(
        "auto",
        "Bars of the rolling Sharpe, volatility and beta; auto is half a year.",
        unit="bars",
        advanced=True,
        title="Rolling window",
    )
    trials: int = knob(
        1, "How many configurations have been tried on these test bars.", ge=1, le=100_000, advanced=True
    )
    trials_variance: float | None = knob(
        None,
        "Variance of the Sharpes of a bar of those trials; empty is one over the bars, the least it can be.",
        ge=0,
        le=1,
        advanced=True,
        title="Variance of the trials",
    )
    seed: int = knob(0, "Seed of the bootstrap and of what is drawn at random.", ge=0, le=2**31 - 1, advanced=True)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.baselines)) != len(self.baselines):
            raise ValueError("baselines must not repeat")
        if self.fixed_weights is None and FIXED in self.baselines:
            raise ValueError("fixed_weights must be given where the baseline of that name is asked for")
        return self

    @model_validator(mode="after")
    def _runs_again(self) -> Self:
        for name, such in RISING.items():
            values = getattr(self, name)
            if any(one >= other for one, other in itertools.pairwise(values)):
                raise ValueError(f"{name} must increase and not repeat, such as {such}")
        if any(value > MOST_COST for value in self.cost_multipliers):
            raise ValueError(f"cost_multipliers must lie between 0 and {MOST_COST}")
        if any(value <= 0 for value in self.capacity_multipliers):
            raise ValueError("capacity_multipliers must lie above 0")
        if self.rolling_window != "auto" and not LEAST_WINDOW <= self.rolling_window <= MOST_WINDOW:
            raise ValueError(f"rolling_window must be auto or lie between {LEAST_WINDOW} and {MOST_WINDOW}")
        return self

    @model_validator(mode="after")
    def _windows(self) -> Self:
        if len(set(self.stress_windows)) != len(self.stress_windows):
            raise ValueError("stress_windows must not repeat")
        for text in self.stress_windows:
            try:
                window(text)
            except ValueError as error:
                raise ValueError(f"stress_windows holds {error}") from error
        return self


class LimitsConfig(Part):
    """What a run may use. None of it is in this version: a field that is not left empty is refused by name."""

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

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        weights = self.evaluation.fixed_weights
        subject = getattr(self, "policy", None)
        if weights is None:
            if subject == FIXED:
                raise ValueError("evaluation.fixed_weights must be given where they are judged")
            return self
        if FIXED not in (subject, *self.evaluation.baselines):
            raise ValueError("evaluation.fixed_weights changes nothing unless evaluation.baselines holds fixed_weights")
        if fault := _over_caps(weights, self):
            raise ValueError(f"evaluation.fixed_weights {fault}")
        return self


def _over_caps(weights: dict[str, float], config: SimulatorConfig) -> str:
    """What the mandate forbids of these weights times `episode.invest_max`; empty where it forbids nothing."""
    margin, part = config.margin, config.episode.invest_max
    for symbol, weight in weights.items():
        if weight < 0 and not margin.allow_short:
            return f"{symbol} is {weight:g}; a weight below 0 needs margin.allow_short: true"
        if abs(weight) * part > margin.max_position_weight + CAP_SLACK:
            most = f"margin.max_position_weight {margin.max_position_weight:g}"
            return f"{symbol} is {weight:g}; times episode.invest_max {part:g} it is over {most}"
    for total, name in (
        (sum(abs(weight) for weight in weights.values()), "max_gross_leverage"),
        (abs(sum(weights.values())), "max_net_leverage"),
    ):
        most = getattr(margin, name)
        if total * part > most + CAP_SLACK:
            kind = "gross" if name == "max_gross_leverage" else "net"
            return (
                f"have a {kind} sum of {total:g}; times episode.invest_max {part:g} it is over margin.{name} {most:g}"
            )
    return ""


def names_a_strategy(config: Mapping[str, Any]) -> bool:
    """Whether a plain configuration is a backtest's: it says what is judged. A training's has neither field."""
    return config.get("policy") is not None or config.get("run_id") is not None


POLICY_FIELDS = (
    "guards", "sizing", *(f"episode.{name}" for name in EpisodeConfig.model_fields
                          if name not in ("start_cash", "invest_max", "start_weights")),
)  # fmt: skip
"""Groups and fields that bind a policy alone, neither a baseline nor an imported curve."""


def require_no_policy_fields(config: JudgedConfig, why: str) -> None:
    """Raises ValueError naming the first field of POLICY_FIELDS that is not at its default, which nothing would
    follow; `why` as a clause.
    """
    for path in POLICY_FIELDS:
        group, _, name = path.partition(".")
        given = getattr(config, group)
        usual = type(given)()
        if (getattr(given, name) != getattr(usual, name)) if name else given != usual:
            raise ValueError(f"{path} cannot be followed: it binds a policy, {why}; leave it out")


class BacktestConfig(JudgedConfig):
    """A strategy judged on a range: `policy` is a baseline's key or a policy's id, `run_id` a finished training."""

    policy: Annotated[BaselineKey | Uuid | None, BeforeValidator(_no_code)] = knob(
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

    @model_validator(mode="after")
    def _nothing_ignored(self) -> Self:
        if self.policy in BASELINES:
            require_no_policy_fields(self, f"and {self.policy} gives target weights")
        return self


MOST_RESULT_BYTES = 16 * 1024 * 1024
MOST_RESULT_ROWS = MOST_RESULT_BYTES // 11
"""As many as a CSV of that size can hold: `20190102,1` and its line end are 11 bytes. A Parquet is a thousandth."""
RERUN_FIELDS = (
    "cost_multipliers", "delays", "stress_windows", "capacity_multipliers", "matched_random_draws", "policy",
    "waterfall",
)  # fmt: skip
"""Fields of `evaluation` that need decisions, or a strategy that can be run again: an imported curve follows none."""
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class ResultConfig(Part):
    """How the table of a result that was made elsewhere is to be read."""

    holds: Literal["equity", "returns", "returns_percent"] = knob(
        "equity",
        "What a row says: equity at the close, or the return since the row before as a fraction or in percent.",
        title="The column holds",
    )
    date: ColumnName | None = knob(
        None, "Column of days or times; empty takes the one that is named like one.", title="Column of days"
    )
    value: ColumnName | None = knob(
        None, "Column of equity or returns; empty takes the one that is named like one.", title="Column of values"
    )
    date_format: Literal["auto", "ymd", "dmy", "mdy", "epoch_s", "epoch_ms"] = knob(
        "auto", "Order of year, month and day where the file itself does not decide.", advanced=True,
        title="Date order",
    )  # fmt: skip
    times: Literal["auto", "day", "close"] = knob(
        "auto", "What a time stands for: the day of its bar, or the close of its bar in UTC, which bars shorter than a "
        "day need.", advanced=True, title="A time means",
    )  # fmt: skip


class ImportConfig(JudgedConfig):
    """A result that was made elsewhere, judged on its own days beside our baselines."""

    result: ResultConfig = Field(default_factory=ResultConfig)
    file_sha256: Sha256 | None = knob(
        None, "Content hash of the file; filled in when it is taken, checked before it is read.", advanced=True
    )
    start: dt.date | None = knob(
        None, "First day of the file that is judged; empty takes all of it.", title="Judge from"
    )
    end: dt.date | None = knob(None, "Last day of the file that is judged; empty takes all of it.", title="Judge to")

    @model_validator(mode="after")
    def _days_of_the_file(self) -> Self:
        if self.start and self.end and self.start >= self.end:
            raise ValueError(f"start {self.start} must lie before end {self.end}")
        if self.split != SplitConfig():
            raise ValueError("split must be left out: the days of the file are judged, and nothing is set apart")
        return self

    @model_validator(mode="after")
    def _is_a_curve(self) -> Self:
        chosen, usual = self.evaluation, EvaluationConfig()
        for name in RERUN_FIELDS:
            if getattr(chosen, name) not in ((), getattr(usual, name)):
                raise ValueError(
                    f"evaluation.{name} cannot be followed: an imported result is a curve without decisions and cannot "
                    "be run again; leave it out"
                )
        require_no_policy_fields(self, "and none acts here")
        if MATCHED_RANDOM in chosen.baselines:
            raise ValueError(f"evaluation.baselines must not hold {MATCHED_RANDOM}: it plays decisions, of which an "
                             "imported result holds none")  # fmt: skip
        return self
