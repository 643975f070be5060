"""README.md names every command there is and none that there is not; versions agree with the pins and the changelog."""

import re
from typing import get_args

from backtest.config import BacktestConfig
from backtest.verdict import Code
from runfiles import yamlio
from runfiles.versions import release
from tests.docs.pages import blocks, named, page, section

README, MAKEFILE = page("README.md"), page("Makefile")


def targets() -> set[str]:
    """Targets that `make help` lists."""
    return set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))


def test_every_public_command_is_named() -> None:
    assert named(section(README, "The other commands")) == {f"make {name}" for name in targets()}


def test_every_command_that_is_named_exists() -> None:
    every = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md", "docs/operations.md", "docs/extending.md", "CHANGELOG.md"):
        told = set(re.findall(r"`(?:[A-Z_]+=\S+ )*make ([a-z-]+)", page(name)))
        told |= set(re.findall(r"^make ([a-z-]+)", page(name), re.MULTILINE))
        assert told <= every, (name, told - every)


def test_the_torch_of_the_readme_is_the_torch_of_the_pins() -> None:
    pinned = re.search(r"^torch==(\S+)", page("requirements.txt"), re.MULTILINE)
    assert pinned and set(re.findall(r"torch==([\d.]+\d)", README)) == {pinned[1]}


def test_the_python_of_the_readme_is_the_python_of_the_project() -> None:
    needed = re.search(r'requires-python = ">=([\d.]+)"', page("pyproject.toml"))
    assert needed and f"**Python {needed[1]} or newer**" in README
    assert f"({needed[1].replace('.', ', ')})" in MAKEFILE


def test_every_verdict_is_explained() -> None:
    words = {word.replace("_", " ") for word in get_args(Code)}
    rows = section(README, "How to read the verdict")
    assert set(re.findall(r"^\| \*\*([a-z ]+)\*\*", rows, re.MULTILINE)) == words


def test_the_version_that_runs_tell_is_the_top_of_the_changelog() -> None:
    headings = re.findall(r"^## (.+)$", page("CHANGELOG.md"), re.MULTILINE)
    assert re.fullmatch(r"\d+\.\d+\.\d+", headings[0]) and release() == headings[0]


def test_the_configuration_of_the_readme_is_one() -> None:
    shell = next(text for text in blocks(README, "sh") if "momentum.yaml" in text)
    config = BacktestConfig.model_validate(yamlio.load(shell.split("<<'END'\n")[1].split("END\n")[0]))
    assert (config.policy, config.split.scheme, config.fees.taker_bps) == ("momentum", "80_20", 2.0)
