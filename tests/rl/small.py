"""Settings of the networks that fit the short windows of tests."""

from typing import Any

OWN: dict[str, dict[str, Any]] = {"window_cnn": {"cnn_channels": (8, 6), "cnn_kernel": 2}}
