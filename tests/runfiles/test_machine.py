"""What a process may have, against limits that are set: files as the kernel writes them, and real resource limits."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runfiles import machine

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
WHOLE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def kernel(root: Path, cgroup: str, **limits: str) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(cgroup)
    for name, text in limits.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("cgroup", "limits", "found"),
    [
        ("0::/a/b\n", {"a/b/memory.max": f"{64 * MIB}\n", "a/memory.max": "max\n"}, 64 * MIB),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": f"{32 * MIB}\n"}, 32 * MIB),
        ("0::/\n", {"memory.max": f"{16 * MIB}\n"}, 16 * MIB),
        ("5:cpu,memory:/j\n0::/\n", {"memory/j/memory.limit_in_bytes": f"{8 * MIB}\n"}, 8 * MIB),
        ("5:memory:/j\n", {"memory/j/memory.limit_in_bytes": "9223372036854771712\n"}, WHOLE),
        ("5:cpuset:/j\n", {"memory/j/memory.limit_in_bytes": f"{8 * MIB}\n"}, WHOLE),
        ("0::/a\n", {"a/memory.max": f"{1 << 59}\n"}, WHOLE),
    ],
)
def test_the_least_limit_counts(tmp_path: Path, cgroup: str, limits: dict[str, str], found: int) -> None:
    limit = machine.memory_limit(kernel(tmp_path / "root", cgroup, **limits))
    told = "this machine has" if found == WHOLE else "this process's control group allows"
    assert (limit.bytes, limit.of) == (found, told)


def test_without_control_groups_it_is_the_machine(tmp_path: Path) -> None:
    assert machine.memory_limit(tmp_path).bytes == WHOLE


@pytest.mark.parametrize("which", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_what_is_mapped_is_taken_off(which: str) -> None:
    limit = 2048 * MIB
    code = "from runfiles import machine as m; found = m.address_limit(); print(found.bytes, found.of.split()[0])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        preexec_fn=lambda: resource.setrlimit(getattr(resource, which), (limit, limit)),
    )  # fmt: skip
    left, name = done.stdout.split()
    assert name == which and 0.9 * limit < int(left) < limit


def test_no_such_limit_is_none_and_what_is_held_is_known() -> None:
    held = machine.resident()
    assert machine.address_limit() is None and held is not None and 10 * MIB < held < WHOLE
    assert 0 < (machine.memory_available() or 0) <= WHOLE


def test_the_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    found = machine.disk_free(tmp_path / "not" / "yet")
    assert found == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.05)
