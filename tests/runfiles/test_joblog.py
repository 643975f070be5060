"""A log that is flooded stays small, says so, and keeps its end."""

from pathlib import Path

from runfiles.joblog import TAIL, CappedLog
from tests.runfiles.conftest import ShimBench


def test_what_fits_is_written_as_it_came(tmp_path: Path) -> None:
    log = CappedLog(tmp_path / "job.log", cap=10)
    log.write(b"01234")
    log.write(b"56789")
    log.close()
    assert (tmp_path / "job.log").read_bytes() == b"0123456789"


def test_a_flood_is_cut_marked_and_counted(tmp_path: Path) -> None:
    log = CappedLog(tmp_path / "job.log", cap=10)
    log.write(b"A" * 8)
    log.write(b"B" * 1_000_000)
    log.write(b"the end")
    log.close()
    content = (tmp_path / "job.log").read_bytes()
    assert content.startswith(b"AAAAAAAABB\n[log capped at 10 bytes;")
    assert content.endswith(b"B" * (TAIL - 7) + b"the end")
    left_out = 1_000_000 - 2 + 7 - TAIL
    assert f"[{left_out:,} bytes left out]".encode() in content


def test_a_second_start_goes_on_under_the_same_cap(tmp_path: Path) -> None:
    (tmp_path / "job.log").write_bytes(b"x" * 9)
    log = CappedLog(tmp_path / "job.log", cap=10)
    log.write(b"yz")
    log.close()
    assert (tmp_path / "job.log").read_bytes().startswith(b"x" * 9 + b"y\n[log capped")


def test_a_flood_without_a_newline_does_not_stop_the_job(bench: ShimBench) -> None:
    bench.start("--flood", "256", log_cap=1 << 20)
    assert bench.outcome(within_s=30)["end"] == "ok"
    assert len(bench.log()) < (1 << 20) + TAIL + 1000
