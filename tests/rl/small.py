"""Settings of the networks that fit the short windows of tests."""

from typing import Any

OWN: dict[str, dict[str, Any]] = {
    "window_cnn": {"cnn_channels": (8, 6), "cnn_kernel": 2},
    "window_lstm": {"lstm_hidden": 8, "lstm_layers": 2},
}
NOT_EVEN = (("window_cnn", 10), ("window_cnn", 11), ("window_cnn", 64))
"""Networks and lookbacks of which the oldest bars are left out: 8 of 10 and of 11 are read, and by default 61 of 64."""


def settings(network: str, lookback: int) -> dict[str, Any]:
    """Of a window of 8 to 11 bars; the network's own defaults for longer ones."""
    return OWN.get(network, {}) if lookback < 64 else {}
