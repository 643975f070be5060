"""Which job a bundle is of, and what that job reads beside its configuration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from backtest.config import names_a_strategy
from runfiles import layout
from runfiles.bundle import Bundle, BundleRefused
from runfiles.policy_list import PolicyList


@dataclass(frozen=True)
class Kind:
    """A job: its name for people, the module that runs it, the keys of the files that it is given.

    `fits` looks at the configuration and at what the run left.
    """

    name: str
    entry: str
    given: tuple[str, ...]
    fits: Callable[[Mapping[str, Any], Bundle], bool]


def _walks(bundle: Bundle) -> bool:
    """Whether several folds were judged. Raises BundleRefused."""
    if bundle.path("judged_models") is None:
        return False
    try:
        return bool(PolicyList.read(bundle.folder).folds)
    except ValueError as fault:
        raise BundleRefused(f"{fault}.") from fault


_POLICIES = ("judged_model", "judged_models")
KINDS = (
    Kind("leak check", "backtest.leaks", _POLICIES,
         lambda config, bundle: "leaks" in bundle.entries and "summary" not in bundle.entries),
    Kind("calibration", "rl.calibrate", (), lambda config, bundle: "calibration" in bundle.entries),
    Kind("imported result", "backtest.foreign", ("imported_result",),
         lambda config, bundle: config.get("file_sha256") is not None),
    Kind("backtest", "backtest.run", _POLICIES, lambda config, bundle: names_a_strategy(config)),
    Kind("walk-forward", "rl.walk_forward", (), lambda config, bundle: _walks(bundle)),
    Kind("training", "rl.train_ppo", (), lambda config, bundle: bool({"model", "judged_models"} & {*bundle.entries})),
)  # fmt: skip
"""The first that fits. A training with several seeds, and a walk-forward, trains each of its own again."""


def kind_of(config: Mapping[str, Any], bundle: Bundle) -> Kind:
    """Raises BundleRefused where it is of a job that cannot be run again, or lacks what the job is given."""
    kind = next((kind for kind in KINDS if kind.fits(config, bundle)), None)
    if kind is None:
        names = ", ".join(kind.name for kind in KINDS)
        raise BundleRefused(f"The bundle is of no run that can be made again ({names}); a fetch asks the network.")
    for key in kind.given:
        if key in bundle.left_out:
            path = layout.FILES[key].path
            raise BundleRefused(f"The bundle lacks {path}, which the {kind.name} judges; take it with its models.")
    return kind
