"""How a policy learns: reward, model, training; `TrainConfig` composes every group of a training run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from backtest.config import LEAST_BARS, JudgedConfig
from backtest.lineup import left_out_of
from backtest.registry import POLICY, label_of
from marketdata.config import FeaturesConfig, FoldsConfig
from marketdata.config_base import ConfigFault, Part, canonical, knob
from marketdata.regime import RegimeInput
from marketdata.regime_fit import BARS_A_STATE
from rl.calibration_config import MOST_LEARNINGS, MOST_STEPS, CalibrationConfig
from rl.model_config import ModelConfig, conv_reach
from rl.needs import Needs, needs_of, sizes_of
from runfiles.policy_list import MOST_SEEDS

if TYPE_CHECKING:
    from marketdata.catalog import DatasetEntry

DEFAULT_ENVS = 64
DEFAULT_THREADS = 1
ANY_SYMBOLS = frozenset({"set_attention"})
"""Networks without a weight for one symbol or for their number."""


class RewardConfig(Part):
    """What the learner is paid for (docs/learning.md, Reward)."""

    scale: float = knob(100.0, "Factor on the sum of all terms.", gt=0, le=1e6, advanced=True)
    mode: Literal["log_nav", "delta_nav", "benchmark", "diff_sharpe"] = knob(
        "log_nav", "The main term.", title="Reward"
    )
    w_drawdown: float = knob(0.0, "Penalty on a growing drawdown.", ge=0, le=100, title="Drawdown penalty")
    w_turnover: float = knob(0.0, "Penalty on traded value over equity.", ge=0, le=100, title="Turnover penalty")
    w_vol: float = knob(0.0, "Penalty on squared returns.", ge=0, le=1000, title="Volatility penalty")
    w_leverage: float = knob(0.0, "Penalty on gross exposure above 1.", ge=0, le=100, title="Leverage penalty")


class RegimeConfig(Part):
    """What the policy sees of the market's regimes (docs/features.md, Regimes)."""

    enabled: bool = knob(
        False,
        "Show the policy how likely each regime of the market is, by a model of the training bars.",
        title="Regimes",
    )
    n_states: int = knob(3, "Regimes that the model tells apart, calmest first.", ge=2, le=6, title="States")
    features: tuple[RegimeInput, ...] = knob(
        ("return", "volatility"),
        "What the model sees of the whole market: return, volatility, dispersion.",
        title="Inputs",
        max_length=3,
        fail_fast=True,
    )

    @model_validator(mode="after")
    def _once(self) -> Self:
        if not self.features:
            raise ValueError("features must name at least one input")
        if len(set(self.features)) != len(self.features):
            raise ValueError("features must not repeat")
        return self

    def require(self, train_bars: int) -> None:
        """Raises ConfigFault where so many training bars are too few for a fit."""
        needed = BARS_A_STATE * self.n_states
        if self.enabled and train_bars < needed:
            said = f"{self.n_states} states need {needed} training bars; the train range has {train_bars}."
            raise ConfigFault({"regime.n_states": [said]})


MOST_SIBLINGS = 64
"""Seeds of one training, those that are trained apart among them."""


class TrainingConfig(Part):
    """How long, on what, from which seed."""

    total_timesteps: int = knob(
        200_000, "Environment steps, rounded up to whole rollouts.", unit="steps", ge=256, le=200_000_000, title="Steps"
    )
    n_envs: int | None = knob(
        None, f"Books stepped at once; empty takes {DEFAULT_ENVS}.", ge=1, le=4096, title="Books at once"
    )
    seeds: tuple[Annotated[int, Field(ge=0, le=2**31 - 1)], ...] = knob(
        (0, 1, 2),
        "Seeds of everything random, each a training of its own; the report judges all and tells how far they lie "
        "apart. One alone is as much luck as skill.",
        title="Seeds",
        max_length=MOST_SEEDS,
        fail_fast=True,
    )
    siblings: tuple[Annotated[int, Field(ge=0, le=2**31 - 1)], ...] = knob(
        (),
        "Other seeds of the same training that are trained apart; each counts as a trial. A training with several "
        "seeds fills it in for each of them.",
        title="Seeds beside these",
        advanced=True,
        max_length=MOST_SIBLINGS,
        fail_fast=True,
    )
    device: Literal["auto", "cpu", "cuda"] = knob(
        "auto", "Where the network runs; auto is the CPU, which is faster for these sizes.", advanced=True
    )
    threads: int | None = knob(
        None,
        f"Threads of the linear algebra; empty takes {DEFAULT_THREADS}. Another count is another result.",
        ge=1,
        le=64,
        advanced=True,
    )
    eval_every: int = knob(
        25_000,
        "Steps between two looks at the validation range.",
        unit="steps",
        ge=256,
        le=200_000_000,
        title="Look every",
    )
    early_stop: int | None = knob(
        None,
        "Looks at the validation range without a new best before it stops; empty trains to the end.",
        unit="looks",
        ge=1,
        le=1000,
        title="Stop early after",
    )
    checkpoint_every: int | None = knob(
        100_000,
        "Steps between two checkpoints, rounded up to whole rollouts; empty writes one only when it is stopped and at "
        "its end.",
        unit="steps",
        ge=256,
        le=200_000_000,
        advanced=True,
        title="Checkpoint every",
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if not self.seeds:
            raise ValueError("seeds must hold at least one seed")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("seeds must not repeat")
        if len(set(self.family)) != len(self.family):
            raise ValueError("siblings must be other seeds than seeds, each once")
        if len(self.family) > MOST_SIBLINGS:
            raise ValueError(f"seeds and siblings must be at most {MOST_SIBLINGS} together")
        return self

    @property
    def family(self) -> tuple[int, ...]:
        """All seeds of the training, its own first."""
        return (*self.seeds, *self.siblings)

    @property
    def books(self) -> int:
        """Environments stepped at once."""
        return self.n_envs or DEFAULT_ENVS


def rollout_steps(model: ModelConfig, training: TrainingConfig) -> int:
    """Environment steps of one rollout."""
    return model.n_steps * training.books


TAUGHT: dict[str, type[Part]] = {
    "reward": RewardConfig, "regime": RegimeConfig, "model": ModelConfig, "training": TrainingConfig,
}  # fmt: skip
"""Groups that only a training has: a policy's file keeps them, so that a later report can say how it was made."""


def taught_groups(stored: Mapping[str, Any]) -> dict[str, Part]:
    """The groups from what `TrainConfig.taught` gave. Raises ValidationError where this version knows others."""
    return {name: model.model_validate(stored.get(name)) for name, model in TAUGHT.items()}


class TrainConfig(JudgedConfig):
    """A training run whose report judges the policy and every baseline on the test range."""

    features: FeaturesConfig = Field(default_factory=FeaturesConfig)
    reward: RewardConfig = Field(default_factory=RewardConfig)
    regime: RegimeConfig = Field(default_factory=RegimeConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    training: TrainingConfig = Field(default_factory=TrainingConfig)

    def of_seed(self, seed: int) -> Self:
        """The same training with this seed alone, which knows of the others: a report of it must count them."""
        others = tuple(other for other in self.training.family if other != seed)
        alone = self.training.model_copy(update={"seeds": (seed,), "siblings": others})
        return self.model_copy(update={"training": alone})

    def needs(self, entry: "DatasetEntry", *, bars: int, test: int, features: int) -> Needs:
        """Memory and disk of one training on so many bars of a stored dataset, `test` of them judged, with so many
        features; `dataset.symbols` are resolved.
        """
        return needs_of(self, sizes_of(self, entry, bars=bars, test=test, features=features))

    @property
    def members(self) -> tuple[tuple[int | None, int], ...]:
        """(fold, seed) of each training that this is made of; the fold is None outside a walk-forward."""
        return tuple((None, seed) for seed in self.training.seeds)

    def of_member(self, fold: int | None, seed: int) -> "TrainConfig":
        """One of the trainings that this is made of."""
        return self.of_seed(seed)

    @property
    def taught(self) -> dict[str, Any]:
        """How the policy is trained, as plain JSON values by group."""
        return {name: canonical(getattr(self, name)) for name in TAUGHT}

    @model_validator(mode="after")
    def _window_fits(self) -> Self:
        layers, kernel = len(self.model.channels), self.model.kernel
        reach = conv_reach(layers, kernel)
        if self.model.policy == "window_cnn" and reach > self.features.lookback:
            read = f"for {layers} convolutions of {kernel} bars"
            remedy = "or set fewer model.cnn_channels or a smaller model.cnn_kernel"
            raise ValueError(f"features.lookback must be at least {reach} {read}, {remedy}")
        return self

    @model_validator(mode="after")
    def _batch_fits(self) -> Self:
        rollout = rollout_steps(self.model, self.training)
        if self.model.batch_size > rollout:
            made_of = f"a rollout of {self.model.n_steps} steps of {self.training.books} books"
            raise ValueError(f"model.batch_size must be at most {rollout}, {made_of}")
        return self


MOST_TRAININGS = 100
"""Of a walk-forward: folds times seeds."""


class CvConfig(TrainConfig):
    """A walk-forward: a training for each fold and seed, judged as one book through all test folds."""

    split: FoldsConfig = Field(default_factory=FoldsConfig)

    @property
    def members(self) -> tuple[tuple[int | None, int], ...]:
        """(fold, seed) of each training, folds counted from 1, in the order in which they are trained."""
        return tuple((fold, seed) for fold in range(1, self.split.n_folds + 1) for seed in self.training.seeds)

    def of_member(self, fold: int | None, seed: int) -> TrainConfig:
        """The training of one fold with one seed."""
        content = canonical(self)
        content["split"]["fold"] = fold
        return TrainConfig.model_validate(content).of_seed(seed)

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        folds, seeds = self.split.n_folds, len(self.training.seeds)
        if folds * seeds > MOST_TRAININGS:
            asked = f"{folds} folds with {seeds} seed{'' if seeds == 1 else 's'} each are {folds * seeds}"
            raise ValueError(f"split.n_folds asks for too many trainings: {asked}, and {MOST_TRAININGS} are the most")
        return self


UNREAD = (*(f"evaluation.{name}" for name in (
    "cost_multipliers", "delays", "stress_windows", "metric_bootstrap_paths", "matched_random_draws", "waterfall",
    "capacity_multipliers", "rolling_window",
)), "training.checkpoint_every")  # fmt: skip
"""What only a report reads, or a training that leaves files: a calibration has neither."""


class CalibrateConfig(TrainConfig):
    """A training's set-up, tried in worlds where it is known what there is to find."""

    calibration: CalibrationConfig = Field(default_factory=CalibrationConfig)

    def require(self, test_bars: int) -> None:
        """Raises ConfigFault where no world could ever be judged `shown`, so that nothing would be measured."""
        faults: dict[str, list[str]] = {}
        if left_out := left_out_of(POLICY, self):
            names = ", ".join(label_of(key) for key in left_out)
            said = f"Without {names} nothing is ever called shown, so that there is nothing to measure; add what lacks."
            faults["evaluation.baselines"] = [said]
        if test_bars < LEAST_BARS:
            said = f"The test range has {test_bars} bars, and a verdict on fewer than {LEAST_BARS} is always too short."
            faults["split.scheme"] = [said]
        if faults:
            raise ConfigFault(faults)

    @model_validator(mode="after")
    def _nothing_ignored(self) -> Self:
        for path in UNREAD:
            group, _, name = path.partition(".")
            given = getattr(self, group)
            if getattr(given, name) != getattr(type(given)(), name):
                raise ValueError(f"{path} cannot be followed: a calibration makes no report; leave it out")
        return self

    @model_validator(mode="after")
    def _bearable(self) -> Self:
        seeds, worlds = len(self.training.seeds), len(self.calibration.worlds)
        trainings, steps = worlds * seeds, worlds * seeds * self.training.total_timesteps
        asked = f"{worlds} worlds with {seeds} seed{'' if seeds == 1 else 's'} each are {trainings} trainings"
        if trainings > MOST_LEARNINGS:
            raise ValueError(
                f"calibration.planted_worlds asks for too much: {asked}, and {MOST_LEARNINGS} are the most"
            )
        if steps > MOST_STEPS:
            raise ValueError(
                f"training.total_timesteps asks for too much: {asked} and {steps:,} steps, and {MOST_STEPS:,} are the "
                "most"
            )
        return self
