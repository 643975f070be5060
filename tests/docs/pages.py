"""Reading our own pages: sections, tables, code blocks, links; and what git holds."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_CODE = re.compile(r"`([^`]+)`")
_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading of any level, up to the next heading; a comment in a code block is none."""
    found: list[str] | None = None
    fenced = False
    for line in text.splitlines(keepends=True):
        fenced ^= line.startswith("```")
        if line.startswith("#") and not fenced:
            if found is not None:
                break
            found = [] if line.lstrip("#").strip() == heading else None
        elif found is not None:
            found.append(line)
    assert found, f"there is no heading {heading!r}, or nothing below it"
    return "".join(found)


def table(text: str) -> list[list[str]]:
    """Rows of the first table, without its head; cells stripped, `\\|` read as `|`."""
    lines = text.splitlines()
    first = next(index for index, line in enumerate(lines) if re.fullmatch(r"\|[-|]+\|", line.strip()))
    rows = []
    for line in lines[first + 1 :]:
        if not line.startswith("|"):
            break
        cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
        rows.append([cell.strip().replace("\\|", "|") for cell in cells])
    return rows


def codes(text: str) -> list[str]:
    """What stands in backticks, in order; code blocks are left out."""
    return _CODE.findall(_BLOCK.sub("", text))


def named(text: str) -> set[str]:
    """Codes in the first column of the section's table."""
    return {code for row in table(text) for code in codes(row[0])}


def blocks(text: str, language: str) -> list[str]:
    """Fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def tracked() -> list[Path]:
    """Every file of the project: those in git, and new ones that git does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for line in out.splitlines() if (path := ROOT / line).is_file()]
