"""`versions.json` names what is installed as the packages' own metadata do."""

import importlib.metadata

from runfiles.versions import versions


def test_versions_are_those_of_the_packages_metadata() -> None:
    told = versions()["packages"]
    assert {"numpy", "numba", "PyYAML", "stable-baselines3"} <= told.keys()
    assert told == {name: importlib.metadata.version(name) for name in told}
