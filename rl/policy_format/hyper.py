"""PPO's settings in a policy file: what plain PPO goes on learning with. A policy that acts needs none of them.

A schedule is one number, or `{"start", "end", "end_fraction"}` for SB3's LinearSchedule.
"""

from typing import Any, Final

from rl.policy_format.fields import Fields, number, refuse, whole

SCHEDULED: Final = {"learning_rate": (0.0, 10.0), "clip_range": (0.0, 10.0)}
WHOLE: Final = {"n_steps": (1, 10_000_000), "batch_size": (1, 100_000_000), "n_epochs": (1, 10_000)}
REAL: Final = {"gamma": (0.0, 1.0), "gae_lambda": (0.0, 1.0), "ent_coef": (0.0, 1000.0), "vf_coef": (0.0, 1000.0),
               "max_grad_norm": (0.0, 1e6)}  # fmt: skip
OPTIONAL: Final = {"clip_range_vf": (0.0, 10.0), "target_kl": (0.0, 1000.0)}
DEFAULTS: Final[dict[str, Any]] = {
    "learning_rate": 3e-4, "clip_range": 0.2, "n_steps": 2048, "batch_size": 64, "n_epochs": 10, "gamma": 0.99,
    "gae_lambda": 0.95, "ent_coef": 0.0, "vf_coef": 0.5, "max_grad_norm": 0.5, "clip_range_vf": None,
    "target_kl": None, "normalize_advantage": True,
}  # fmt: skip
"""SB3's own."""


def check_hyper(value: Any, where: str) -> dict[str, Any]:
    """All settings, canonical. Raises PolicyFileFault."""
    fields = Fields(value, where)
    found = {key: check_setting(key, fields.take(key), f"{where}.{key}") for key in DEFAULTS}
    fields.end()
    return found


def check_setting(key: str, value: Any, where: str) -> Any:
    """One setting. Raises PolicyFileFault where it is out of bounds."""
    if key in SCHEDULED:
        return _schedule(value, *SCHEDULED[key], where)
    if key in WHOLE:
        return whole(value, *WHOLE[key], where)
    if key in REAL:
        return number(value, *REAL[key], where)
    if key in OPTIONAL:
        return None if value is None else number(value, *OPTIONAL[key], where)
    if not isinstance(value, bool):
        refuse(where, "true or false")
    return value


def _schedule(value: Any, least: float, most: float, where: str) -> Any:
    if not isinstance(value, dict):
        return number(value, least, most, where)
    fields = Fields(value, where)
    found = {
        "start": fields.number("start", least, most),
        "end": fields.number("end", least, most),
        "end_fraction": fields.number("end_fraction", 1e-9, 1.0),
    }
    fields.end()
    return found
