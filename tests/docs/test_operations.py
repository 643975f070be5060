"""docs/operations.md and .env.example list exactly the environment variables that the server and the demo read."""

import ast
import re
from pathlib import Path

from runfiles import environment, outcome
from runs_app import parents
from tests.docs.pages import ROOT, codes, named, page, section, table

PAGE = page("docs/operations.md")
READERS = ("stockbot_site", "accounts", "runs_app", "brokers", "scripts")
OF_OS = {"os.environ.get", "os.environ.setdefault", "os.getenv"}
OF_MAKE = {"EXIT"}
NOT_SETTINGS = {"DJANGO_SETTINGS_MODULE"}


def read_names(path: Path) -> set[str]:
    """Names in env_*("NAME") and os.environ.get("NAME"), os.environ["NAME"], os.getenv("NAME")."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        first: ast.expr | None = None
        if isinstance(node, ast.Call) and node.args:
            function = ast.unparse(node.func)
            is_reader = isinstance(node.func, ast.Name) and function.startswith("env_")
            if is_reader or function in OF_OS:
                first = node.args[0]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            first = node.slice
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            names.add(first.value)
    return names


def settings() -> set[str]:
    found = {name for room in READERS for path in (ROOT / room).rglob("*.py") for name in read_names(path)}
    return found - OF_MAKE - NOT_SETTINGS


def test_the_reader_of_names_sees_them() -> None:
    assert {"STOCKBOT_PRODUCTION", "STOCKBOT_SECRET_KEY", "PORT", "STOCKBOT_DEMO_USER", "SSL_CERT"} <= settings()


def test_every_variable_of_the_page() -> None:
    assert named(section(PAGE, "Environment variables")) == settings()


def test_every_variable_of_the_example() -> None:
    lines = re.findall(r"^# ([A-Z][A-Z_]+)=", page(".env.example"), re.MULTILINE)
    assert sorted(lines) == sorted(settings())


def test_the_example_sets_nothing_as_it_stands() -> None:
    assert all(line.startswith("#") or not line.strip() for line in page(".env.example").splitlines())


def test_what_a_job_inherits() -> None:
    text = section(PAGE, "Environment variables")
    listed = next(code for code in codes(text) if code.startswith("PATH "))
    assert tuple(listed.split()) == environment.INHERITED


def test_every_end_of_a_run() -> None:
    reasons = {code for row in table(section(PAGE, "How a run ends")) for code in codes(row[1])}
    assert reasons == (outcome.ENDS - {"ok"}) | {"interrupted", "lost", *parents.PARTS.values()}


def test_variables_of_make_exist() -> None:
    makefile, browser = page("Makefile"), page("scripts/find_browser.sh")
    assert "$(ONLY)" in makefile and "PYTHON ?=" in makefile and "CHROMIUM" in browser
    assert read_names(ROOT / "scripts" / "demo.py") >= OF_MAKE
