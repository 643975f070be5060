"""Runs of the stub job: rows, folders, the real executor with the real shim, a reconciler that is stepped by hand."""

import sys
import uuid
from typing import Any

from django.utils import timezone

from runfiles import kernel, layout, yamlio
from runs_app import places
from runs_app.executors import LocalExecutor
from runs_app.models import Run
from runs_app.reconciler import Reconciler
from tests.waiting import until


class Yard:
    """`switches` of a run are those of `tests.stub_job`."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.switches: dict[uuid.UUID, tuple[str, ...]] = {}
        self.changes: list[tuple[uuid.UUID, int]] = []
        self.executor = LocalExecutor(self._command)
        self.reconciler = self.new_reconciler()

    def new_reconciler(self, **options: Any) -> Reconciler:
        """As a new server process would have it: nothing remembered."""
        options = {
            "executor": self.executor,
            "on_change": lambda run_id, seq: self.changes.append((run_id, seq)),
        } | options
        return Reconciler(options.pop("executor"), **options)

    def add(self, *switches: str, kind: str = "backtest", owner: Any = None, **columns: Any) -> Run:
        config = columns.pop("config", {"evaluation": {"policy": "best"}, "training": {"threads": 1}})
        columns = {"config": config, "config_hash": "0" * 64, "queued": timezone.now(), **columns}
        run = Run.objects.create(owner=owner or self.owner, kind=kind, **columns)
        folder, _ = places.make_folders(run)
        (folder / layout.CONFIG).write_text(yamlio.dump({"schema_version": layout.SCHEMA_VERSION, **config}))
        self.switches[run.id] = switches
        return run

    def step_until(self, run: Run, *states: str, within_s: float = 10.0) -> Run:
        """Turn the reconciler until the run is in one of the states."""

        def look() -> bool:
            self.reconciler.turn()
            run.refresh_from_db()
            return run.state in states

        until(look, within_s=within_s, what=f"{' or '.join(states)} (it is {run.state})")
        return run

    def running(self, *switches: str, **columns: Any) -> tuple[Run, int]:
        """A run whose job is at work, and the job's pid."""
        run = self.add(*switches, **columns)
        self.step_until(run, "RUNNING")
        announced = places.run_folder(run.id) / "pid"
        until(announced.exists, what="the job's announcement")
        return run, int(announced.read_text())

    def wait_for_events(self, run: Run, count: int) -> None:
        """Until the job has written this many whole lines of news."""
        path = places.run_folder(run.id) / layout.EVENTS
        until(lambda: path.exists() and path.read_bytes().count(b"\n") >= count, what=f"{count} events")

    def shim_pid(self, run: Run) -> int:
        return int((places.control_folder(run.id) / "lock").read_text())

    def processes(self, run: Run) -> list[int]:
        return kernel.marked(str(run.id))

    def _command(self, run: Run) -> list[str]:
        folder = str(places.run_folder(run.id))
        return [sys.executable, "-m", "tests.stub_job", folder, *self.switches[run.id]]
