"""What data a run is fed: dataset, split, features. Everything is checked against the stored catalog at POST."""

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, StringConstraints, model_validator

from marketdata.config_base import (
    DATASET_PATTERN,
    SHA256_PATTERN,
    SYMBOL_PATTERN,
    Part,
    knob,
)
from marketdata.expressions.grammar import LONGEST, canonical_text

Symbol = Annotated[str, StringConstraints(pattern=SYMBOL_PATTERN)]
Sha256 = Annotated[str, StringConstraints(pattern=SHA256_PATTERN)]
FeatureText = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST), AfterValidator(canonical_text)]
DatasetId = Annotated[str, StringConstraints(pattern=DATASET_PATTERN)]


class DatasetConfig(Part):
    """Which stored bars."""

    id: DatasetId = knob("sample/us20", "The stored dataset, as source/name.", title="Dataset")
    version: Sha256 | None = knob(None, "Content hash of the stored version; empty takes the newest.", advanced=True)
    symbols: tuple[Symbol, ...] | None = knob(
        None, "Symbols to trade, in this order; empty takes all.", title="Symbols", max_length=1000, fail_fast=True
    )
    start: dt.date | None = knob(None, "First day to use; empty takes the first stored.", title="From")
    end: dt.date | None = knob(None, "Last day to use; empty takes the last stored.", title="To")
    interval: Literal["1d", "1h", "15m", "1m"] = knob("1d", "Length of a bar, that of the dataset.", advanced=True)
    adjustment: Literal["raw", "split", "total_return"] | None = knob(
        None,
        "How prices are adjusted for splits and dividends; empty takes what is stored: raw bars with their actions.",
        advanced=True,
    )
    membership: Literal["stored", "none"] | None = knob(
        None,
        "stored: buy a symbol only while it belongs to the universe; none: set that aside; empty: stored if any.",
        advanced=True,
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start and self.end and self.start >= self.end:
            raise ValueError(f"start {self.start} must lie before end {self.end}")
        if self.symbols is not None:
            if not self.symbols:
                raise ValueError("symbols must name at least one symbol, or be left empty for all")
            if len(set(self.symbols)) != len(self.symbols):
                raise ValueError("symbols must not repeat")
        return self


class DateRange(Part):
    """First and last day of a range, both inside it."""

    start: dt.date = knob(..., "First day.")
    end: dt.date = knob(..., "Last day.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"start {self.start} must lie before end {self.end}")
        return self


class SplitConfig(Part):
    """Train, validation and test ranges (numbers: docs/conventions.md, Ranges)."""

    scheme: Literal["last_year", "80_20", "custom_ranges", "walk_forward"] = knob(
        "last_year",
        "last_year: test the last 12 months, validate on the 12 before; 80_20: the last fifth; custom_ranges: yours; "
        "walk_forward: folds, whose tests adjoin and end at the last bar. Lookback and embargo are taken off the end "
        "of train and validation.",
        title="Split",
    )
    custom_ranges: tuple[DateRange, ...] = knob(
        (), "Train, validation, test, in this order (custom_ranges only).", advanced=True, max_length=3, fail_fast=True
    )
    n_folds: int | None = knob(
        None, "Folds, each tested on bars of its own (walk_forward only).", advanced=True, title="Folds", ge=1, le=100
    )
    train_window: Literal["expanding", "rolling"] = knob(
        "expanding", "Whether a fold trains on all earlier bars or on the last train_bars.", advanced=True
    )
    train_bars: int | None = knob(
        None, "Bars that a fold trains on (rolling only).", unit="bars", advanced=True, ge=2, le=10_000_000
    )
    validation_bars: int | None = knob(
        None, "Bars that a fold validates on (walk_forward only).", unit="bars", advanced=True, ge=2, le=10_000_000
    )
    test_bars: int | None = knob(
        None, "Bars that a fold is tested on (walk_forward only).", unit="bars", advanced=True, ge=2, le=10_000_000
    )
    fold: int | None = knob(
        None,
        "The one fold that is trained or judged, counted from 1 (walk_forward only); empty judges all of them.",
        advanced=True,
        ge=1,
        le=100,
    )
    embargo_bars: int = knob(
        5,
        "Bars left out between ranges beside the lookback.",
        unit="bars",
        ge=0,
        le=10_000,
        advanced=True,
        title="Embargo",
    )

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        if self.scheme == "custom_ranges" and len(self.custom_ranges) != 3:
            raise ValueError("custom_ranges must hold three ranges: train, validation, test")
        if self.scheme != "custom_ranges" and self.custom_ranges:
            raise ValueError(f"custom_ranges must be empty with scheme {self.scheme}")
        for earlier, next_one in zip(self.custom_ranges, self.custom_ranges[1:], strict=False):
            if next_one.start <= earlier.end:
                raise ValueError(f"custom_ranges must not overlap: {next_one.start} is not after {earlier.end}")
        return self

    @model_validator(mode="after")
    def _folds(self) -> Self:
        walks, rolls = self.scheme == "walk_forward", self.train_window == "rolling"
        for name in ("n_folds", "validation_bars", "test_bars"):
            if walks and getattr(self, name) is None:
                raise ValueError(f"{name} must be given with scheme walk_forward")
            if not walks and getattr(self, name) is not None:
                raise ValueError(f"{name} must be empty with scheme {self.scheme}; it belongs to walk_forward")
        if self.fold is not None and not walks:
            raise ValueError(f"fold must be empty with scheme {self.scheme}; it belongs to walk_forward")
        if self.fold is not None and self.n_folds is not None and self.fold > self.n_folds:
            raise ValueError(f"fold must be at most n_folds {self.n_folds}")
        if rolls and not walks:
            raise ValueError(f"train_window must be expanding with scheme {self.scheme}; rolling is of walk_forward")
        if rolls and self.train_bars is None:
            raise ValueError("train_bars must be given with train_window rolling")
        if not rolls and self.train_bars is not None:
            raise ValueError("train_bars must be empty unless train_window is rolling; expanding takes all there are")
        return self


class FoldsConfig(SplitConfig):
    """The folds of a walk-forward: each trains, validates and is tested on bars of its own (docs/conventions.md)."""

    scheme: Literal["walk_forward"] = knob("walk_forward", "Folds, whose tests adjoin and end at the last bar.")
    n_folds: int = knob(4, "Folds, each tested on bars of its own.", title="Folds", ge=1, le=100)
    train_window: Literal["expanding", "rolling"] = knob(
        "expanding", "Whether a fold trains on all earlier bars or on the last train_bars."
    )
    train_bars: int | None = knob(None, "Bars that a fold trains on (rolling only).", unit="bars", ge=2, le=10_000_000)
    validation_bars: int = knob(
        252, "Bars that a fold's policy is chosen on, before those that test it.", unit="bars", ge=2, le=10_000_000
    )
    test_bars: int = knob(252, "Bars that a fold is tested on.", unit="bars", ge=2, le=10_000_000)

    @model_validator(mode="after")
    def _all_of_them(self) -> Self:
        if self.fold is not None:
            raise ValueError("fold must be empty: a walk-forward trains every fold")
        return self


FeatureSet = Literal["ohlcv", "ohlcv_ta_basic", "ohlcv_ta_rich"]


class FeaturesConfig(Part):
    """What the policy sees of the market."""

    feature_set: tuple[FeatureSet, ...] = knob(
        ("ohlcv_ta_basic",),
        "Named sets of features; parts whose columns are missing are left out and told.",
        title="Feature sets",
        max_length=3,
        fail_fast=True,
    )
    indicators: tuple[FeatureText, ...] = knob(
        (),
        "Single features such as rsi(14) or close / mean(close, 20) - 1; refused where the data lacks a column.",
        title="Single features and formulas",
        max_length=64,
        fail_fast=True,
    )
    lookback: int = knob(64, "Bars the policy looks back at.", unit="bars", ge=1, le=1024, title="Lookback")
    normalize_observation: bool = knob(
        True,
        "Scale each feature by its mean and deviation over the training bars.",
        advanced=True,
        title="Normalise features",
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.feature_set and not self.indicators:
            raise ValueError("feature_set or indicators must name at least one feature")
        for name in ("feature_set", "indicators"):
            if len(set(getattr(self, name))) != len(getattr(self, name)):
                raise ValueError(f"{name} must not repeat")
        return self
