"""`window_lstm`: a recurrence bar by bar, oldest first, made of the dates in pieces."""

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from marketdata.config_base import sentences
from marketdata.splits import Range
from rl.config import TrainConfig, TrainingConfig
from rl.model_config import ModelConfig
from rl.observation import Windows
from rl.ppo import make_model
from rl.task import Task
from rl.window_lstm import LstmLayer, LstmWindow
from tests.rl.planted import costs, planted, task_of


def made(layers: int, hidden: int = 5) -> LstmWindow:
    torch.manual_seed(0)
    window = LstmWindow(3, hidden, layers, 4)
    for layer in window.layers:
        assert isinstance(layer, LstmLayer)
        layer.bias.data.add_(torch.randn(4 * hidden))
    return window


def by_hand(window: LstmWindow, bars: np.ndarray) -> np.ndarray:
    """One window (lookback, 3) in float64, bar by bar."""
    seen = bars.astype(np.float64)
    for layer in window.layers:
        assert isinstance(layer, LstmLayer)
        into, back, bias = (one.detach().double().numpy() for one in (layer.input, layer.state, layer.bias))
        size = back.shape[1]
        hidden, cell, states = np.zeros(size), np.zeros(size), []
        for bar in seen:
            told = into @ bar + back @ hidden + bias
            let, keep, show = (1 / (1 + np.exp(-told[k * size : (k + 1) * size])) for k in (0, 1, 3))
            cell = keep * cell + let * np.tanh(told[2 * size : 3 * size])
            hidden = show * np.tanh(cell)
            states.append(hidden)
        seen = np.array(states)
    last = window.linear
    found: np.ndarray = last.weight.detach().double().numpy() @ seen[-1] + last.bias.detach().double().numpy()
    return found


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("lookback", [1, 7, 64])
def test_it_steps_from_the_oldest_bar_to_the_newest(layers: int, lookback: int) -> None:
    window = made(layers)
    bars = np.random.default_rng(0).standard_normal((3, 2, lookback, 3)).astype(np.float32)
    found = window(torch.from_numpy(bars)).detach().numpy()
    for place in np.ndindex(3, 2):
        np.testing.assert_allclose(found[place], by_hand(window, bars[place]), atol=2e-6)


def test_it_is_torchs_own_layer_with_these_weights() -> None:
    layer, inputs = LstmLayer(3, 5), torch.randn(6, 9, 3)
    peer = nn.LSTM(3, 5, batch_first=True)
    with torch.no_grad():
        for theirs, mine in zip(peer.parameters(), (layer.input, layer.state, layer.bias), strict=False):
            theirs.copy_(mine)
        peer.bias_hh_l0.zero_()
    torch.testing.assert_close(layer(inputs), peer(inputs)[0], atol=1e-6, rtol=1e-6)


def test_the_gradient_of_a_bias_keeps_its_digits_in_a_large_batch() -> None:
    """Where a plain bias has lost some: torch's layer is 1e-5 and more off here where oneDNN computes it."""
    layer, inputs = LstmLayer(6, 32), torch.randn(1024, 64, 6, generator=torch.Generator().manual_seed(0))
    layer(inputs)[:, -1].sum().backward()
    found = {name: one.grad.clone() for name, one in layer.named_parameters() if one.grad is not None}
    layer.double().zero_grad()
    layer(inputs.double())[:, -1].sum().backward()
    for name, one in layer.named_parameters():
        assert one.grad is not None
        assert float((found[name] - one.grad).norm() / one.grad.norm()) < 1e-6, name


def test_most_memory_is_kept_at_first_and_each_gate_is_orthogonal(task: Task) -> None:
    """Also once SB3 has initialised what it knows."""
    settings = ModelConfig(policy="window_lstm", lstm_hidden=8, lstm_layers=2)
    for layer in make_model(task, settings, TrainingConfig(n_envs=2)).policy.features_extractor.window.layers:
        assert layer.bias.tolist() == [0.0] * 8 + [1.0] * 8 + [0.0] * 16
        for gate in torch.split(layer.state.detach(), 8):
            torch.testing.assert_close(gate @ gate.T, torch.eye(8))


DATES = torch.tensor([3, 90, 4, 5, 200, 17, 33])


@pytest.mark.parametrize("held", [0, 2, 3, 100])
@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_in_pieces_it_is_the_same_and_holds_no_more_than_it_may(
    monkeypatch: pytest.MonkeyPatch, at_once: int, held: int
) -> None:
    """Values and gradients of dates in pieces, some of them made again, beside those of one plain pass."""
    task = task_of(planted(n_bars=600, n_assets=3), Range(20, 500), config=costs())
    settings = ModelConfig(policy="window_lstm", lstm_hidden=8, lstm_layers=2)
    window_numbers = (4 + 8 + 2 * 6 * 8) * 8 * 3  # of three assets: inputs, gates and states of 8 bars
    monkeypatch.setattr("rl.date_nets.STEPPED", at_once * window_numbers)
    monkeypatch.setattr("rl.date_nets.HELD", held * window_numbers)
    model = make_model(task, settings, TrainingConfig(n_envs=2))
    net, wish = model.net, torch.randn(len(DATES), 3, 32)  # type: ignore[attr-defined]

    sizes: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
        found = net.made(DATES)
    (found * wish).sum().backward()
    mine = {name: one.grad.clone() for name, one in net.encoder.window.named_parameters()}
    net.encoder.window.zero_grad()
    plain = net.encoder.window(net.panel.windows(DATES))
    (plain * wish).sum().backward()

    torch.testing.assert_close(found, plain, atol=1e-6, rtol=1e-6)
    for name, one in net.encoder.window.named_parameters():
        torch.testing.assert_close(mine[name], one.grad, atol=1e-5, rtol=1e-5)
    if not held:
        assert sum(sizes) <= len(DATES)  # rows alone
    every = net.every_date().view(net.panel.n_rows, 3, -1)
    torch.testing.assert_close(every[DATES], plain, atol=1e-6, rtol=1e-6)


def test_windows_that_overlap_begin_each_from_nothing() -> None:
    """A date is what its own window makes it, whatever stood before the window."""
    table = np.random.default_rng(0).standard_normal((40, 2, 3)).astype(np.float32)
    other = table.copy()
    other[:10] += 5.0
    window = made(1)
    first, second = (torch.from_numpy(Windows(each, 8).gather(np.array([17]))) for each in (table, other))
    assert torch.equal(window(first.transpose(1, 2)), window(second.transpose(1, 2)))


@pytest.mark.parametrize(
    ("model", "field", "said"),
    [
        ({"lstm_hidden": 8}, "lstm_hidden", "lstm_hidden belongs to window_lstm; leave it empty with asset_shared."),
        (
            {"policy": "window_cnn", "lstm_layers": 1},
            "lstm_layers",
            "lstm_layers belongs to window_lstm; leave it empty with window_cnn.",
        ),
        ({"policy": "window_lstm", "lstm_hidden": 257}, "lstm_hidden", "Must be at most 256."),
        ({"policy": "window_lstm", "lstm_layers": 3}, "lstm_layers", "Must be at most 2."),
        ({"policy": "window_lstm", "lstm_layers": 0}, "lstm_layers", "Must be at least 1."),
    ],
)
def test_settings_that_do_not_fit_are_refused_by_name(model: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(ValidationError) as fault:
        TrainConfig.model_validate({"model": model, "features": {"lookback": 64}})
    assert sentences(fault.value) == {f"model.{field}": [said]}
