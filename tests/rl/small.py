"""Settings of the networks that fit the short windows of tests."""

from typing import Any

OWN: dict[str, dict[str, Any]] = {
    "window_cnn": {"cnn_channels": (8, 6), "cnn_kernel": 2},
    "window_lstm": {"lstm_hidden": 8, "lstm_layers": 2},
}
