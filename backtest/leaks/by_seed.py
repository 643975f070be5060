"""The leak gate over every policy of a subject that was trained with several seeds, as one report."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from backtest.leaks.gate import Gate, Told
from backtest.leaks.report import Check, CheckState, LeakReport
from backtest.strategy import Seeded, Strategy

WORST: tuple[CheckState, ...] = ("failed", "not_examined", "passed", "absent")

MakeGate = Callable[[Strategy, Told], Gate]


def check_leaks(subject: Strategy, make: MakeGate, told: Told) -> LeakReport:
    """What the gate finds: of a subject with several seeds each policy is checked by a gate of its own."""
    if not isinstance(subject, Seeded):
        return make(subject, told).check()
    reports = [
        make(one, _part_of(told, place, len(subject.members))).check() for place, one in enumerate(subject.members)
    ]
    return merged(reports, subject.seeds)


def merged(reports: Sequence[LeakReport], seeds: Sequence[int]) -> LeakReport:
    """Cases and reruns add up; a check is as bad as with the worst seed, whose sentence names it."""
    checks = tuple(_merged(one, seeds) for one in zip(*(report.checks for report in reports), strict=True))
    reaches = [report.reach for report in reports if report.reach is not None]
    return replace(
        reports[0],
        cuts=tuple(sorted({day for report in reports for day in report.cuts})),
        reruns=sum(report.reruns for report in reports),
        checks=checks,
        reach=min(reaches, key=lambda reach: reach.cut) if reaches else None,
    )


def _merged(checks: Sequence[Check], seeds: Sequence[int]) -> Check:
    place = min(range(len(checks)), key=lambda k: WORST.index(checks[k].state))
    worst = checks[place]
    sentence = f"Seed {seeds[place]}: {worst.sentence}" if worst.sentence else ""
    return replace(worst, cases=sum(one.cases for one in checks), sentence=sentence)


def _part_of(told: Told, place: int, count: int) -> Told:
    return lambda done, total: told(place * total + done, count * total)
