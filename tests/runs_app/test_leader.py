"""One loop leads; when it dies another takes over; a failing turn does not end it."""

import subprocess
import sys
import threading
from pathlib import Path

from runs_app.leader import Leadership, Loop
from tests.waiting import until

HOLD = """
import sys, time
from pathlib import Path
from runs_app.leader import Leadership
held = Leadership(Path(sys.argv[1]))
assert held.take()
print("leads", flush=True)
time.sleep(60)
"""


class Counting:
    def __init__(self, fails: int = 0) -> None:
        self.turns, self.fails, self.closed = 0, fails, threading.Event()

    def turn(self) -> bool:
        self.turns += 1
        if self.turns <= self.fails:
            raise RuntimeError("a turn that fails")
        return True

    def close(self) -> None:
        self.closed.set()


def test_one_of_two_leads_and_the_other_follows_on(tmp_path: Path) -> None:
    first, second = Counting(), Counting()
    one, two = Loop(lambda: first, tmp_path / "lock"), Loop(lambda: second, tmp_path / "lock")
    one.start()
    two.start()
    until(lambda: first.turns > 2)
    assert (one.leads, two.leads, second.turns) == (True, False, 0)
    one.stop()
    two.wake()
    until(lambda: second.turns > 0)
    two.stop()
    assert first.closed.is_set() and second.closed.is_set()


def test_the_lead_falls_with_the_process(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE)
    assert other.stdout is not None and other.stdout.readline() == b"leads\n"
    assert not Leadership(lock).take()
    other.kill()
    other.wait()
    other.stdout.close()
    ours = Leadership(lock)
    until(ours.take, within_s=1)
    ours.release()


def test_a_failing_turn_is_tried_again(tmp_path: Path) -> None:
    turner = Counting(fails=2)
    loop = Loop(lambda: turner, tmp_path / "lock")
    loop.start()
    until(lambda: turner.turns > 3)
    assert loop.age() < 5
    loop.stop()


def test_a_loop_whose_turns_all_fail_grows_old(tmp_path: Path) -> None:
    turner = Counting(fails=10**9)
    loop = Loop(lambda: turner, tmp_path / "lock")
    loop.start()
    begun = loop.tick
    until(lambda: turner.turns > 3)
    assert loop.tick == begun and loop.age() > 0.5
    loop.stop()
