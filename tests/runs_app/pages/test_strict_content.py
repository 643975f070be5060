"""No page needs a looser Content-Security-Policy: nothing inline in any template, nothing evaluated in any script."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
INLINE = re.compile(
    r"<script(?![^>]*\ssrc=)[^>]*>|<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:|hx-on|hx-vals=.js:", re.I
)
EVALUATED = re.compile(
    r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|setAttribute\(.style"
)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_nothing_inline(path: Path) -> None:
    assert INLINE.findall(path.read_text()) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_makes_no_code_and_no_markup_of_text(path: Path) -> None:
    assert EVALUATED.findall(path.read_text()) == []


def test_both_are_looked_for() -> None:
    assert len(TEMPLATES) > 15
    assert len(SCRIPTS) > 7
    assert INLINE.search('<p onclick="x()">')
    assert INLINE.search("<script>1</script>")
    assert INLINE.search('<b style="color:red">')
