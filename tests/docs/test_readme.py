"""README.md names every command there is and none that there is not; versions agree with the pins and the changelog."""

import re

from backtest.verdict import Code
from runfiles.versions import release
from runs_app.api.create import Train
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
    words = {word.replace("_", " ") for word in Code.__args__}
    rows = section(README, "How to read the verdict")
    assert set(re.findall(r"^\| \*\*([a-z ]+)\*\*", rows, re.MULTILINE)) == words


def test_the_version_that_runs_tell_is_the_top_of_the_changelog() -> None:
    headings = re.findall(r"^## (.+)$", page("CHANGELOG.md"), re.MULTILINE)
    assert re.fullmatch(r"\d+\.\d+\.\d+", headings[0]) and release() == headings[0]


def test_the_configuration_of_the_readme_is_one(tmp_path) -> None:
    from backtest.config import BacktestConfig
    from runfiles import yamlio

    shell = next(text for text in blocks(README, "sh") if "momentum.yaml" in text)
    content = yamlio.load(shell.split("<<'END'\n")[1].split("END\n")[0])
    config = BacktestConfig.model_validate(content)
    assert config.split.scheme == "80_20" and config.fees.taker_bps == 2.0 and Train.config_model is not None
