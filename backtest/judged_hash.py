"""One hash of what decides a judgement, so that two of them can be told to be the same."""

import hashlib
import json
from typing import Any

from backtest.config import ImportConfig, JudgedConfig
from backtest.feed import Feed
from marketdata.config import FeaturesConfig
from marketdata.config_base import canonical
from marketdata.splits import Range

HASH_SCHEMA = 1
_JUDGED_GROUPS = ("fees", "margin", "exec", "episode", "guards", "sizing", "evaluation")
_NOT_JUDGED = {"episode": ("max_steps", "randomize_start"), "evaluation": ("policy",)}


def judged_hash(config: JudgedConfig, feed: Feed, span: Range, features: FeaturesConfig | None) -> str:
    """sha256 of what decides a judgement: dataset, range, features, and the groups of simulation and evaluation.

    A training and a backtest of its policy agree in it, although their configurations differ elsewhere.
    """
    groups = {name: _judged_fields(name, canonical(getattr(config, name))) for name in _JUDGED_GROUPS}
    session = feed.bars.session
    content = {
        "schema": HASH_SCHEMA,
        "dataset": canonical(feed.config),
        "range": [str(session[span.t0]), str(session[span.t1])],
        "features": None if features is None else canonical(features),
        **groups,
    }
    if isinstance(config, ImportConfig):
        content["result"] = {"file_sha256": config.file_sha256, **canonical(config.result)}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _judged_fields(group: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in _NOT_JUDGED.get(group, ())}
