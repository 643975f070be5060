"""No file of the project names a package registry or a path of somebody's machine, the npm lock included."""

import re

import pytest

from tests.docs.pages import ROOT, tracked

# written in two halves, so that this file does not hold what it forbids
REGISTRIES = (
    "pypi" + ".org", "python" + "hosted.org", "download.py" + "torch.org", "registry.npm" + "js", "npm" + "js.org",
    "npmmirror" + ".com", "artifact" + "ory", "index-url" + "=http", '"resol' + 'ved":',
)  # fmt: skip
MACHINE = re.compile("(?<![\\w.~$}>])/(?:ho" + "me|Us" + "ers|ro" + "ot|wo" + "rk)/[A-Za-z0-9_.-]|\\.\\./sha" + "red")
TEXTS = [path for path in tracked() if path.suffix not in {".png", ".ico", ".woff2", ".gz", ".zip", ".parquet"}]


@pytest.mark.parametrize("word", REGISTRIES)
def test_no_registry(word: str) -> None:
    found = [
        str(path.relative_to(ROOT)) for path in TEXTS if word in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert found == []


def test_no_path_of_a_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in TEXTS
        for match in MACHINE.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


def test_the_pattern_sees_what_it_forbids() -> None:
    for path in ("ho" + "me/ada/x", "Us" + "ers/ada", "ro" + "ot/.venv", "wo" + "rk/main"):
        assert MACHINE.search(f"cd /{path}") and not MACHINE.search(f"see docs/{path}")
