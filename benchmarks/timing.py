"""One core, one clock, turns taken: ours and the reference run in the same minutes on the same core.

The clock is the CPU time of the process that does the work. On an idle core it is the wall's; on a busy one it leaves
out the time in which others ran, which a wall would charge to long calls and not to short ones.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable

from benchmarks.figure import Figure, Work, make_figure, void_figure

Seconds = Callable[[], float]


def pin() -> str:
    """Keep this process and its children on one core, where the system can. Says which."""
    if not hasattr(os, "sched_setaffinity"):
        return "not pinned: this system cannot"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return f"core {core}"


def clock(work: Callable[[], object], calls: int = 1) -> Seconds:
    """A timed call: CPU seconds of one of `calls` calls in a row."""

    def timed() -> float:
        start = time.process_time()
        for _ in range(calls):
            work()
        return (time.process_time() - start) / calls

    return timed


def interleave(ours: Seconds, reference: Seconds, rounds: int, ours_a_round: int = 5) -> tuple[float, float]:
    """Median seconds (ours, reference) of `rounds` turns, after one unmeasured turn."""
    ours(), reference()
    mine: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        mine += [ours() for _ in range(ours_a_round)]
        theirs.append(reference())
    return statistics.median(mine), statistics.median(theirs)


def measure(
    work: Work,
    differences: Callable[[], list[str]],
    clocks: Callable[[], tuple[float, float]],
    in_unit: Callable[[float], float],
    versions: dict[str, str],
) -> Figure:
    """Equality first: any difference is printed and voids the figure, and nothing is timed.

    `clocks` gives seconds (ours, reference); `in_unit` turns seconds into the unit of the work.
    """
    found = differences()
    for difference in found:
        print(f"{work.id}: {difference}", file=sys.stderr)
    if found:
        return void_figure(work, versions)
    ours, reference = clocks()
    return make_figure(work, in_unit(ours), in_unit(reference), versions)
