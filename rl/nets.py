"""The networks by the names of `model.policy`: what SB3 makes of each, and how it is read on indices."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from rl.date_nets import AttentionNet, ConvNet, LstmNet
from rl.indexed_net import AssetSharedNet, FlatNet, IndexedNet
from rl.model_config import ModelConfig
from rl.networks import ACTIVATIONS, AssetEncoder, AssetSharedPolicy
from rl.observation_layout import ObservationLayout
from rl.set_attention import AttentionEncoder, SetAttentionPolicy
from rl.window_cnn import ConvEncoder
from rl.window_lstm import LstmEncoder


@dataclass(frozen=True)
class Kind:
    """A policy class of SB3 and the IndexedNet that reads it, made of (policy, windows, device).

    `encoder`: its features extractor, None for SB3's; `settings`: the arguments of the encoder that are its own.
    """

    policy: str | type[Any]
    net: Callable[..., IndexedNet]
    encoder: type[nn.Module] | None = None
    settings: Callable[[ModelConfig], dict[str, Any]] = lambda model: {}


NETS: dict[str, Kind] = {
    "asset_shared": Kind(AssetSharedPolicy, AssetSharedNet, AssetEncoder),
    "mlp": Kind("MultiInputPolicy", FlatNet),
    "window_cnn": Kind(
        AssetSharedPolicy, ConvNet, ConvEncoder, lambda model: {"channels": model.channels, "kernel": model.kernel}
    ),
    "window_lstm": Kind(
        AssetSharedPolicy, LstmNet, LstmEncoder, lambda model: {"hidden": model.hidden, "layers": model.recurrences}
    ),
    "set_attention": Kind(SetAttentionPolicy, AttentionNet, AttentionEncoder, lambda model: {"heads": model.heads}),
}


def policy_of(model: ModelConfig, layout: ObservationLayout) -> tuple[str | type[Any], dict[str, Any]]:
    """SB3's policy and its keyword arguments."""
    kind, activation = NETS[model.policy], ACTIVATIONS[model.activation]
    widths = list(model.net_arch)
    if kind.encoder is None:
        return kind.policy, {"net_arch": {"pi": widths, "vf": widths}, "activation_fn": activation}
    given = {"features_dim": model.features_dim, "parts": layout.parts, "activation_fn": activation}
    return kind.policy, {
        "net_arch": widths,
        "activation_fn": activation,
        "features_extractor_class": kind.encoder,
        "features_extractor_kwargs": given | kind.settings(model),
    }
