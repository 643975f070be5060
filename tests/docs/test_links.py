"""Every link of our pages that stays in the project leads to a file, and to a heading where it names one."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, codes, tracked

PAGES = [path for path in tracked() if path.suffix == ".md"]
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(path: Path) -> set[str]:
    """Names that a forge gives to the headings of a page."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.replace("`", "").lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in _LINK.findall(path.read_text(encoding="utf-8")):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.is_file() and target.is_relative_to(ROOT), f"{path.name} links to {link}"
        assert not anchor or anchor in anchors(target), f"{path.name} links to {link}, which is no heading"


def test_the_readme_leads_to_every_page_of_docs() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = set(_LINK.findall(readme)) | set(codes(readme))
    assert {f"docs/{path.name}" for path in PAGES if path.parent == ROOT / "docs"} <= linked


def test_the_architecture_page_leads_to_every_decision() -> None:
    linked = set(_LINK.findall((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")))
    assert {f"decisions/{path.name}" for path in PAGES if path.parent.name == "decisions"} <= linked


def test_every_page_that_the_code_names_is_there() -> None:
    named = {
        (path, name)
        for path in tracked()
        if path.suffix in {".py", ".txt", ".toml", ".example", ".md"} or path.name == "Makefile"
        for name in re.findall(r"\bdocs/[a-z0-9_/-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert [f"{path}: {name}" for path, name in named if not (ROOT / name).is_file()] == []


def test_every_module_that_a_command_names_is_there() -> None:
    named = {
        name
        for path in [*PAGES, ROOT / "Makefile"]
        for name in re.findall(r"(?:python|\$\(PY\)) -m ([a-z_]+(?:\.[a-z_]+)+)", path.read_text(encoding="utf-8"))
    }
    assert named
    homes = {name: ROOT / name.replace(".", "/") for name in named}
    there = {
        name for name, home in homes.items() if home.with_suffix(".py").is_file() or (home / "__main__.py").is_file()
    }
    assert named - there == set()
