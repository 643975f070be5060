"""A parent that is cancelled while its policies are brought together: nothing of the copying is held for ever."""

from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from runs_app import services
from runs_app.parents import Parents, waiting
from tests.runs_app.families import CONFIG, trained


class Slow(Executor):
    """A pool that never comes to what it is given."""

    def submit(self, *work: Any, **named: Any) -> Future[Any]:  # type: ignore[override]
        return Future()


def test_what_was_under_way_is_let_go(owner: Any, samples: Path) -> None:
    parent = services.start_training(owner=owner, config=CONFIG)
    for child in parent.trainings:
        trained(child)
    parents = Parents(Slow(), lambda: None)
    assert parents.settle(waiting()[0]) == [] and [*parents._brought] == [parent.id]
    services.cancel_run(run=parent)
    assert parents.settle(waiting()[0])
    parent.refresh_from_db()
    assert (parent.state, parent.sentence) == ("CANCELLED", "Cancelled; 3 of 3 seeds had been trained.")
    assert not parents._brought
