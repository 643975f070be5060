"""What a fetch is asked for. `python -m marketdata.fetch` and the run kind `data` read nothing else."""

import datetime as dt
from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator

from marketdata.config import DatasetId
from marketdata.config_base import FETCHED_PATTERN, KEY_PATTERN, LABEL_PATTERN, LINE_PATTERN, ConfigFault, Part, knob
from marketdata.sources.base import HISTORIES, networked

FetchedSymbol = Annotated[str, StringConstraints(pattern=FETCHED_PATTERN)]
SourceKey = Annotated[str, StringConstraints(pattern=KEY_PATTERN)]
Label = Annotated[str, StringConstraints(pattern=LABEL_PATTERN, max_length=80)]
Title = Annotated[str, StringConstraints(pattern=LINE_PATTERN, max_length=200)]

DAYS_BACK = 3652
"""Of daily bars where no start is given."""


class DataConfig(Part):
    """Prices fetched from outside and kept as a dataset of yours: raw bars, splits, dividends."""

    id: DatasetId = knob(
        "yahoo/my-stocks",
        "What the dataset is called: the first of its sources that asks the network, a slash, a name.",
        title="Dataset",
    )
    title: Title = knob("", "A line about it for people; empty lists the symbols.", title="Title")
    symbols: tuple[FetchedSymbol, ...] = knob(
        ..., "Symbols in capitals, as the source writes them.", title="Symbols", max_length=1000,
        fail_fast=True,
    )  # fmt: skip
    start: dt.date | None = knob(
        None, "First day; empty asks for ten years of daily bars, or all that the source keeps of shorter ones.",
        title="From",
    )  # fmt: skip
    end: dt.date | None = knob(None, "Last day; empty takes the newest complete bar.", title="To")
    interval: Literal["1d", "1h", "15m", "1m"] = knob("1d", "Length of a bar.", title="Bar")
    calendar: Literal["XNYS", "24/7"] = knob(
        "XNYS", "When the market is open: New York's sessions, or always, as for crypto.", title="Calendar"
    )
    sources: tuple[SourceKey, ...] = knob(
        ("yahoo",), "Asked in this order for each symbol; the first that has it serves it.", title="Sources",
        max_length=8, fail_fast=True, ordered=True,
    )  # fmt: skip
    indices: tuple[FetchedSymbol, ...] = knob(
        (), "Those of the symbols that are levels of an index, which nobody can buy: no capacity, no impact. What "
        "begins with ^, or is an index to the source, is one by itself.",
        title="Indices", max_length=1000, fail_fast=True, advanced=True,
    )  # fmt: skip
    missing: Literal["refuse", "leave_out"] = knob(
        "refuse", "When a symbol cannot be had: refuse makes no dataset, leave_out one of the others.",
        title="Missing symbols",
    )  # fmt: skip
    refetch: Literal["missing", "all"] = knob(
        "missing",
        "missing asks only for what is not stored and keeps what is; all asks again for everything and takes the new.",
        title="Ask for",
        advanced=True,
    )
    overlap: int = knob(
        5, "Stored bars that are asked for again, to see whether the source still says the same.", unit="bars", ge=1,
        le=1000, advanced=True, title="Overlap",
    )  # fmt: skip
    retries: int = knob(
        5, "How often a question is asked again after a refusal or a network fault.", ge=0, le=20, advanced=True
    )
    wait_s: float = knob(
        30.0, "Wait before the first retry; it doubles each time, up to 15 minutes: in all a fetch waits 30 at most.",
        unit="s", ge=0, le=900, advanced=True, title="Wait",
    )  # fmt: skip
    out_tag: Label = knob("", "A label of your own; never a path.", title="Label")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.start and self.end and self.start >= self.end:
            raise ValueError(f"start {self.start} must lie before end {self.end}")
        for name in ("symbols", "sources", "indices"):
            if not getattr(self, name) and name != "indices":
                raise ValueError(f"{name} must name at least one")
            if twice := [one for one, times in Counter(getattr(self, name)).items() if times > 1]:
                raise ValueError(f"{name} must not repeat {twice[0]}")
        if strange := [symbol for symbol in self.indices if symbol not in self.symbols]:
            raise ValueError(f"indices must be among the symbols, and {strange[0]} is not")
        if unknown := [key for key in self.sources if key not in HISTORIES]:
            raise ValueError(f"sources must be among {', '.join(HISTORIES)}, not {unknown[0]}")
        first = next((key for key in self.sources if key in networked(self.sources)), None)
        if first is None:
            raise ValueError("sources must name one that is fetched from, such as yahoo")
        if not self.id.startswith(f"{first}/"):
            raise ValueError(f"id must begin with {first}/, the source that is fetched from first")
        return self


def resolved(config: DataConfig, today: dt.date) -> DataConfig:
    """The configuration with its start said outright.

    Raises ConfigFault where no source of the chain keeps such bars for so long, or the end has not come.
    """
    faults: dict[str, list[str]] = {}
    depths = {key: HISTORIES[key].depth_days[config.interval] for key in config.sources if _serves(key, config)}
    if not depths:
        said = "; ".join(_offer(key) for key in config.sources)
        raise ConfigFault({"interval": [f"No source of the chain has {config.interval} on {config.calendar}: {said}."]})
    longest = None if None in depths.values() else max(depth for depth in depths.values() if depth is not None)
    oldest = dt.date(1900, 1, 1) if longest is None else today - dt.timedelta(days=longest)
    start = config.start or max(oldest, today - dt.timedelta(days=DAYS_BACK))
    if start < oldest:
        kept = f": {' and '.join(depths)} keeps bars of {config.interval} for {longest} days only" if longest else ""
        faults["start"] = [f"Must be {oldest} or later{kept}."]
    if start >= today:
        faults["start"] = [f"Must lie before today, {today}."]
    if config.end and config.end > today:
        faults["end"] = [f"Must not lie after today, {today}."]
    if config.end and start >= config.end:
        faults["end"] = [f"Must lie after start {start}."]
    if faults:
        raise ConfigFault(faults)
    return config.model_copy(update={"start": start})


def _offer(key: str) -> str:
    spec = HISTORIES[key]
    return f"{key} offers {', '.join(spec.depth_days)} on {' and '.join(spec.calendars)}"


def _serves(key: str, config: DataConfig) -> bool:
    return config.interval in HISTORIES[key].depth_days and config.calendar in HISTORIES[key].calendars
