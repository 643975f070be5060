"""The token bucket by a clock of ours."""

from marketdata.sources.bucket import TokenBucket


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_burst_and_then_the_rate() -> None:
    clock = Clock()
    bucket = TokenBucket(2.0, 3, clock=clock, sleep=clock.sleep)
    assert [bucket.take() for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    clock.now += 100
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 0.5]  # no more than the burst is saved up


def test_any_stretch_of_time_sees_at_most_burst_and_rate() -> None:
    clock, taken = Clock(), list[float]()
    bucket = TokenBucket(2.0, 4, clock=clock, sleep=clock.sleep)
    for pause in (0.0, 0.1, 0.9, 0.0, 0.3) * 20:
        clock.now += pause
        bucket.take()
        taken.append(clock.now)
    for first, start in enumerate(taken):
        assert all(count <= 4 + 2.0 * (end - start) + 1e-9 for count, end in enumerate(taken[first:], start=1))
