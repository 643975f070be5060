"""The worlds that a set-up is tried in: the group `calibration` of a calibration."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from marketdata.config_base import Part, knob

Strength = Annotated[float, Field(gt=0, lt=1)]
MOST_STRENGTHS = 4
MOST_LEARNINGS = 300
"""Trainings of one calibration: worlds times seeds."""
MOST_STEPS = 500_000_000
"""Environment steps of all of them together."""


class CalibrationConfig(Part):
    """How many worlds, and what is planted in them."""

    planted_worlds: int = knob(
        5, "Worlds of each strength with a signal to find; 0 leaves out the power.", unit="worlds", ge=0, le=100
    )
    strengths: tuple[Strength, ...] = knob(
        (0.5,),
        "Correlation of the planted signal with the next bar's return; several show where the power ends.",
        title="Strengths",
        min_length=1,
        max_length=MOST_STRENGTHS,
        fail_fast=True,
    )
    null_worlds: int = knob(
        10,
        "Worlds with nothing to find; 0 leaves out the false-discovery rate.",
        unit="worlds",
        ge=0,
        le=100,
        title="Empty worlds",
    )
    seed: int = knob(0, "Seed of the worlds; the same one makes the same worlds.", ge=0, le=2**31 - 1, advanced=True)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.planted_worlds and not self.null_worlds:
            raise ValueError("planted_worlds and null_worlds must not both be 0, as nothing would be tried")
        if len(set(self.strengths)) != len(self.strengths):
            raise ValueError("strengths must not repeat")
        return self

    @property
    def worlds(self) -> tuple[tuple[float, int], ...]:
        """(strength, number) of each world in the order in which they are tried; strength 0 has nothing to find."""
        planted = ((kappa, number) for kappa in self.strengths for number in range(1, self.planted_worlds + 1))
        return (*planted, *((0.0, number) for number in range(1, self.null_worlds + 1)))
