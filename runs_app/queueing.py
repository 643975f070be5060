"""Whose turn it is: the person with the fewest runs at work comes first, then the run that has waited longest.

Fetches stand in a queue of their own. A parent that waits for its children stands in none: they take the slots.
"""

import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from marketdata.sources.base import networked
from runs_app.models import Run, RunQuerySet

Waiting = tuple[uuid.UUID, Any]
"""A waiting run and its owner, by id."""
_AT_WORK = (Run.State.STARTING, Run.State.RUNNING)


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


def at_work(*, fetches: bool = False) -> Counter[Any]:
    """Runs that hold a slot, counted by owner; or the fetches, which hold none."""
    return Counter(_lane(fetches).filter(state__in=_AT_WORK).values_list("owner", flat=True))


def next_to_start() -> uuid.UUID | None:
    """The run that may start now, None where every waiting one has to wait on.

    A fetch computes next to nothing and waits a great deal, for a provider that has refused: it needs no slot, and is
    bounded by one at a time a provider.
    """
    load = at_work()
    if load.total() < settings.RUN_SLOTS:
        for run_id, owner in in_turn():
            if load[owner] < settings.RUN_SLOTS_PER_USER:
                return run_id
    return next((run_id for run_id, _ in in_turn(fetches=True) if not waits_for_provider(run_id)), None)


def waits_for_provider(run_id: uuid.UUID) -> bool:
    """Whether it is a fetch from a provider that another one asks: one at a time, so that the provider bars nobody."""
    fetches = Run.objects.filter(kind=Run.Kind.DATA)
    mine = fetches.filter(pk=run_id).first()
    if mine is None:
        return False
    wanted = _providers(mine)
    busy = fetches.filter(state__in=_AT_WORK).exclude(pk=run_id)
    return any(wanted & _providers(other) for other in busy)


def _providers(run: Run) -> frozenset[str]:
    return networked(run.config.get("sources", []))


def in_turn(*, fetches: bool = False) -> list[Waiting]:
    """Every queued run that needs a slot, or every queued fetch, in the order of its turn."""
    rows = _lane(fetches).filter(state=Run.State.QUEUED, cancel_requested_at=None).exclude(queued=None)
    rows = rows.order_by("queued", "id")
    return fair_order(list(rows.values_list("id", "owner")), at_work(fetches=fetches))


def positions() -> dict[uuid.UUID, int]:
    """Place in its queue of each waiting run, from 1: fetches wait for each other, all others for slots."""
    return {
        run_id: place
        for fetches in (False, True)
        for place, (run_id, _) in enumerate(in_turn(fetches=fetches), start=1)
    }


def _lane(fetches: bool) -> RunQuerySet:
    runs = Run.objects.all()
    return runs.filter(kind=Run.Kind.DATA) if fetches else runs.exclude(kind=Run.Kind.DATA)
