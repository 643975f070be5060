"""A server process with nothing but the reconciler's loop; jobs are the stub, its switches are the run's name."""

import sys
import time

import django

from tests.waiting import until

if __name__ == "__main__":
    django.setup()
    from runs_app import places
    from runs_app.executors import LocalExecutor
    from runs_app.leader import Loop
    from runs_app.models import Run
    from runs_app.reconciler import Reconciler

    def command(run: Run) -> list[str]:
        return [sys.executable, "-m", "tests.stub_job", str(places.run_folder(run.id)), *run.name.split()]

    loop = Loop(lambda: Reconciler(LocalExecutor(command)))
    loop.start()
    until(lambda: loop.leads, what="the lead")
    sys.stdout.write("serves\n")
    sys.stdout.flush()
    while True:
        time.sleep(60)
