"""The leak gate over every policy of a subject that has several, as one report: of seeds, and of a relay's folds."""

from collections.abc import Sequence
from dataclasses import replace

from backtest.leaks.gate import Gate, Told
from backtest.leaks.report import Check, CheckState, LeakReport
from backtest.strategy import Relayed, Seeded, Strategy
from marketdata.bars import Bars
from marketdata.splits import Range
from simulator.config import SimulatorConfig

WORST: tuple[CheckState, ...] = ("failed", "not_examined", "passed", "absent")

Part = tuple[str, Strategy, Range]
"""Which policy it is, for the sentence of a failure, and the range over which it is checked."""


def check_leaks(
    subject: Strategy, bars: Bars, config: SimulatorConfig, span: Range, seed: int, told: Told
) -> LeakReport:
    """What the gate finds over `span`; of a subject with several policies each is checked where it is in charge, by a
    gate of its own. `told` hears (done, total).
    """
    parts = _parts(subject, bars, span)
    if len(parts) == 1:
        return Gate(parts[0][1], bars, config, parts[0][2], seed=seed, told=told).check()
    reports = [
        check_leaks(one, bars, config, own, seed, _part_of(told, place, len(parts)))
        for place, (_, one, own) in enumerate(parts)
    ]
    return merged(reports, [name for name, _, _ in parts])


def _parts(subject: Strategy, bars: Bars, span: Range) -> list[Part]:
    if isinstance(subject, Seeded):
        return [(f"Seed {seed}", one, span) for seed, one in zip(subject.seeds, subject.members, strict=True)]
    if isinstance(subject, Relayed):
        turns = subject.turns(bars.session, span.t0, span.t1)
        return [(f"Fold {turn.fold}", turn.strategy, turn.span) for turn in turns]
    return [("", subject, span)]


def merged(reports: Sequence[LeakReport], names: Sequence[str]) -> LeakReport:
    """Cases and reruns add up; a check is as bad as with the worst policy, which its sentence names."""
    checks = tuple(_merged(one, names) for one in zip(*(report.checks for report in reports), strict=True))
    reaches = [report.reach for report in reports if report.reach is not None]
    return replace(
        reports[0],
        end=reports[-1].end,
        cuts=tuple(sorted({day for report in reports for day in report.cuts})),
        reruns=sum(report.reruns for report in reports),
        checks=checks,
        reach=min(reaches, key=lambda reach: reach.cut) if reaches else None,
    )


def _merged(checks: Sequence[Check], names: Sequence[str]) -> Check:
    place = min(range(len(checks)), key=lambda k: WORST.index(checks[k].state))
    worst = checks[place]
    sentence = f"{names[place]}: {worst.sentence}" if worst.sentence else ""
    return replace(worst, cases=sum(one.cases for one in checks), sentence=sentence)


def _part_of(told: Told, place: int, count: int) -> Told:
    return lambda done, total: told(place * total + done, count * total)
