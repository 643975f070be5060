"""The import table of docs/architecture.md is law: every import of every file is parsed, and processes stay light."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"accounts", "backtest", "brokers", "marketdata", "rl", "runfiles", "runs_app", "simulator", "stockbot_site"}
NUMBERS = {"runfiles": set(), "marketdata": {"runfiles"}, "simulator": {"marketdata", "runfiles"}}
MAY = {
    **NUMBERS,
    "backtest": {"simulator", "marketdata", "runfiles"},
    "rl": {"backtest", "simulator", "marketdata", "runfiles"},
    "accounts": set(),
    "brokers": {"accounts", "marketdata", "simulator"},
    "runs_app": {
        "accounts",
        "runfiles",
        "marketdata",
        "simulator.config",
        "backtest.config",
        "backtest.registry",
        "rl.config",
    },
    "stockbot_site": {"accounts", "runs_app", "brokers"},
}
TORCH = {"torch", "stable_baselines3", "gymnasium"}
NEVER = {
    "runfiles": {"django", "torch", "numpy", "pandas"},
    "marketdata": {"django", "torch"},
    "simulator": {"django", "torch"},
    "backtest": {"django", "torch"},
    "rl": {"django"},
    "accounts": {"torch"},
    "brokers": {"torch"},
    "runs_app": TORCH,
    "stockbot_site": TORCH | {"numpy", "pandas", "numba"},
}


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> list[tuple[int, str]]:
    """(line, dotted name) of each module that the file imports, at its top or inside a function."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def allowed(name: str, package: str) -> bool:
    top = name.split(".")[0]
    if top == package or top not in OURS:
        return top not in NEVER[package]
    return any(name == may or name.startswith(may + ".") for may in MAY[package])


@pytest.mark.parametrize("package", sorted(OURS))
def test_imports_follow_the_table(package):
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files(package)
        for line, name in imported(path)
        if not allowed(name, package)
    ]
    assert not wrong, "\n".join(wrong)


def test_only_yaml_beside_the_standard_library_in_the_seam():
    names = {name.split(".")[0] for path in files("runfiles") for _, name in imported(path)}
    assert names <= set(sys.stdlib_module_names) | {"runfiles", "yaml"}


def test_the_shim_needs_only_the_standard_library():
    assert loaded_by("import runfiles.shim") - loaded_by("pass") <= set(sys.stdlib_module_names) | {"runfiles"}


def test_package_files_are_empty():
    assert [str(p) for package in OURS for p in (ROOT / package).rglob("__init__.py") if p.read_text().strip()] == []


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "stockbot_site.settings"}
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in out.stdout.split()}


@pytest.mark.parametrize("entry", ["rl.train_ppo", "backtest.run"])
def test_the_numbers_know_no_django(entry):
    assert "django" not in loaded_by(f"import {entry}")


def test_a_baseline_never_loads_torch():
    assert not loaded_by("import backtest.run") & TORCH


def test_the_site_stays_light():
    heavy = {"torch", "stable_baselines3", "gymnasium", "numba", "pandas", "skfolio", "sklearn", "talib"}
    assert not loaded_by("import stockbot_site.asgi") & heavy
