"""`window_cnn`: unpadded convolutions with every second position, aligned to the newest bar."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from marketdata.config_base import sentences
from rl.config import TrainConfig
from rl.model_config import conv_reach
from rl.window_cnn import ConvWindow


def made(lookback: int, channels: tuple[int, ...], kernel: int) -> ConvWindow:
    torch.manual_seed(0)
    return ConvWindow(lookback, 3, channels, kernel, 5, nn.Tanh)


def by_hand(window: ConvWindow, bars: np.ndarray) -> np.ndarray:
    """One window (lookback, 3) in float64, position by position."""
    seen = bars[len(bars) - window.bars :].astype(np.float64)
    for layer in window.layers:
        assert isinstance(layer, nn.Conv1d) and layer.bias is not None
        weight, bias = layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()
        taps = weight.shape[2]
        starts = range(0, len(seen) - taps + 1, 2)
        seen = np.array([np.tanh(bias + sum(weight[:, :, j] @ seen[s + j] for j in range(taps))) for s in starts])
    weight, bias = window.linear.weight.detach().double().numpy(), window.linear.bias.detach().double().numpy()
    found: np.ndarray = weight @ seen.T.ravel() + bias
    return found


@pytest.mark.parametrize(
    ("lookback", "channels", "kernel", "bars"),
    [(64, (4, 6, 8), 5, 61), (8, (4, 6), 3, 7), (9, (4,), 3, 9), (10, (4,), 3, 9), (5, (2,), 5, 5), (12, (3, 3), 1, 9)],
)
def test_one_window_and_all_of_a_series(lookback: int, channels: tuple[int, ...], kernel: int, bars: int) -> None:
    window = made(lookback, channels, kernel)
    chance = np.random.default_rng(0)
    series = chance.standard_normal((2, 90, 3)).astype(np.float32)
    assert window.bars == bars

    dense = window.every(torch.from_numpy(series)).detach().numpy()[:, :, lookback - bars :]

    assert dense.shape == (2, 5, 90 - lookback + 1)
    for row in (0, 7, dense.shape[2] - 1):
        rows = series[:, row : row + lookback]
        alone = window(torch.from_numpy(rows[None])).detach().numpy()[0]
        expected = np.array([by_hand(window, one) for one in rows])
        np.testing.assert_allclose(alone, expected, atol=2e-6)
        np.testing.assert_allclose(dense[:, :, row], expected, atol=2e-6)


def test_the_newest_bar_is_read_and_only_the_oldest_are_left_out() -> None:
    window, series = made(10, (4,), 3), torch.zeros(1, 1, 10, 3)
    flat = window(series)
    for bar in range(10):
        changed = series.clone()
        changed[0, 0, bar] = 1.0
        assert (window(changed) - flat).abs().max() > 1e-3 or bar == 0


@pytest.mark.parametrize(("layers", "kernel", "bars"), [(1, 5, 5), (2, 3, 7), (3, 5, 29), (3, 1, 1), (6, 16, 946)])
def test_reach(layers: int, kernel: int, bars: int) -> None:
    """Output 0 of a layer with stride 2 has seen inputs 0 .. k−1, whose last has seen 2·(k−1) further on."""
    seen = 1
    for _ in range(layers):
        seen = (seen - 1) * 2 + kernel
    assert conv_reach(layers, kernel) == seen == bars


def test_a_lookback_that_is_too_short_is_refused_by_name() -> None:
    asked = {"model": {"policy": "window_cnn"}, "features": {"lookback": 28}}
    with pytest.raises(ValidationError) as fault:
        TrainConfig.model_validate(asked)
    told = sentences(fault.value)
    assert list(told) == ["features.lookback"]
    assert told["features.lookback"][0].startswith(
        "features.lookback must be at least 29 for 3 convolutions of 5 bars, or"
    )
    TrainConfig.model_validate(asked | {"features": {"lookback": 29}})


@pytest.mark.parametrize(
    ("model", "field", "said"),
    [
        ({"cnn_kernel": 3}, "cnn_kernel", "belongs to window_cnn; leave it empty with asset_shared."),
        (
            {"policy": "mlp", "features_dim": 16},
            "features_dim",
            "is of networks that keep something of each asset; leave it out with mlp.",
        ),
        ({"policy": "mlp", "cnn_channels": [8]}, "cnn_channels", "belongs to window_cnn; leave it empty with mlp."),
        (
            {"policy": "window_cnn", "attention_heads": 2},
            "attention_heads",
            "belongs to set_attention; leave it empty with window_cnn.",
        ),
        ({"policy": "set_attention", "attention_heads": 5}, "attention_heads", "5 must divide features_dim 32."),
    ],
)
def test_settings_that_do_not_fit_the_network_are_refused_by_name(
    model: dict[str, object], field: str, said: str
) -> None:
    with pytest.raises(ValidationError) as fault:
        TrainConfig.model_validate({"model": model})
    assert sentences(fault.value) == {f"model.{field}": [f"{field} {said}"]}
