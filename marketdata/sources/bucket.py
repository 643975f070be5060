"""A token bucket: how often a provider is asked, whoever asks in this process."""

import threading
import time
from collections.abc import Callable


class TokenBucket:
    """`rate` tokens a second flow in, at most `burst` are held; `take` waits until there is one."""

    def __init__(self, rate: float, burst: int, *, clock: Callable[[], float] = time.monotonic,
                 sleep: Callable[[float], None] = time.sleep) -> None:  # fmt: skip
        self._rate, self._burst = rate, float(burst)
        self._clock, self._sleep = clock, sleep
        self._guard = threading.Lock()
        self._held, self._at = float(burst), clock()

    def take(self) -> float:
        """Take one token; seconds that it was waited for. Callers are served in the order of their coming."""
        with self._guard:
            now = self._clock()
            self._held = min(self._burst, self._held + (now - self._at) * self._rate)
            self._at = now
            wait = max(0.0, (1.0 - self._held) / self._rate)
            if wait:
                self._sleep(wait)  # inside the guard: those who come later wait behind
                self._at = self._clock()
                self._held = min(self._burst, self._held + (self._at - now) * self._rate)
            self._held -= 1.0
            return wait
