"""Whose turn it is: the person with the fewest runs at work comes first, then the run that has waited longest."""

import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Any

from marketdata.sources.base import networked
from runs_app.models import Run

Waiting = tuple[uuid.UUID, Any]
"""A waiting run and its owner, by id."""


def fair_order(waiting: Sequence[Waiting], at_work: Mapping[Any, int]) -> list[Waiting]:
    """`waiting`, oldest first, in the order in which the runs will start; `at_work` counts running runs by owner."""
    lines: dict[Any, deque[tuple[int, Waiting]]] = defaultdict(deque)
    for age, one in enumerate(waiting):
        lines[one[1]].append((age, one))
    load = Counter(at_work)
    order = []
    while lines:
        owner = min(lines, key=lambda who: (load[who], lines[who][0][0]))
        order.append(lines[owner].popleft()[1])
        load[owner] += 1
        if not lines[owner]:
            del lines[owner]
    return order


def at_work() -> Counter[Any]:
    """Runs that hold a slot, counted by owner."""
    return Counter(
        Run.objects.filter(state__in=(Run.State.STARTING, Run.State.RUNNING)).values_list("owner", flat=True)
    )


def waits_for_provider(run_id: uuid.UUID) -> bool:
    """Whether it is a fetch from a provider that another one asks: one at a time, so that the provider bars nobody."""
    fetches = Run.objects.filter(kind=Run.Kind.DATA)
    mine = fetches.filter(pk=run_id).first()
    if mine is None:
        return False
    wanted = _providers(mine)
    busy = fetches.filter(state__in=(Run.State.STARTING, Run.State.RUNNING)).exclude(pk=run_id)
    return any(wanted & _providers(other) for other in busy)


def _providers(run: Run) -> frozenset[str]:
    return networked(run.config.get("sources", []))


def in_turn() -> list[Waiting]:
    """Every queued run in the order of its turn."""
    rows = Run.objects.filter(state=Run.State.QUEUED, cancel_requested_at=None).order_by("queued", "id")
    return fair_order(list(rows.values_list("id", "owner")), at_work())


def positions() -> dict[uuid.UUID, int]:
    """Place in the queue of each waiting run, from 1."""
    return {run_id: place for place, (run_id, _) in enumerate(in_turn(), start=1)}
