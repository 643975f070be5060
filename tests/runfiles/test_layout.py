"""A client's key leads to one fixed path below the run directory, and to nothing else."""

import pytest

from runfiles import layout


def test_every_key_has_one_path():
    paths = [spec.path for spec in layout.FILES.values()]
    assert len(set(paths)) == len(paths)
    for key, spec in layout.FILES.items():
        assert layout.spec_for(key) == spec


def test_a_baseline_has_the_same_tables_in_a_folder_of_its_own():
    spec = layout.spec_for("equal.equity")
    assert spec is not None
    assert (spec.path, spec.filename) == ("report/baselines/equal/equity.csv", "equity.csv")


@pytest.mark.parametrize(
    "key",
    [
        "",
        ".",
        "..",
        "../x",
        "equal.",
        ".equity",
        "equal.secret",
        "Equal.equity",
        "a/b.equity",
        "equal.equity.csv",
        "lock",
        "exit.json",
        "config.yaml",
        "equal\n.equity",
        "e" * 40 + ".equity",
        "équal.equity",
    ],
)
def test_what_is_no_key_is_nothing(key):
    assert layout.spec_for(key) is None


def test_a_bad_baseline_makes_no_folder():
    with pytest.raises(ValueError, match="lower-case letters"):
        layout.baseline_folder("../up")
