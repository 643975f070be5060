"""The network of a policy and PPO's settings: the group `model` of a training."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from marketdata.config_base import ConfigFault, Part, knob, later, off
from rl.schedule_fields import taken_apart

DEFAULT_CHANNELS = (16, 32, 32)
DEFAULT_KERNEL = 5
CNN_STRIDE = 2
DEFAULT_HIDDEN = 32
DEFAULT_RECURRENCES = 1
DEFAULT_HEADS = 4
DEFAULT_WIDTH = 32
MOST_COMPARED = 1000
"""Symbols of `set_attention`: what it makes of one date grows with their square."""
ONLY_OF = {
    "cnn_channels": "window_cnn", "cnn_kernel": "window_cnn", "lstm_hidden": "window_lstm",
    "lstm_layers": "window_lstm", "attention_heads": "set_attention",
}  # fmt: skip
"""Fields of `model` that one network alone reads; None takes its default."""


Width = Annotated[int, Field(ge=1, le=1024)]
Channels = Annotated[int, Field(ge=1, le=128)]
Network = Literal["asset_shared", "mlp", "window_cnn", "window_lstm", "set_attention"]


class ModelConfig(Part):
    """The network and PPO's settings."""

    policy: Network = knob(
        "asset_shared",
        "asset_shared: one small network for all assets, the default; mlp: one flat network; window_cnn: like "
        "asset_shared, with convolutions over the time of a window; window_lstm: with a recurrence over it; "
        "set_attention: like asset_shared, but assets are compared, and the policy acts on any number of symbols.",
        title="Network",
    )
    net_arch: tuple[Width, ...] = knob(
        (64, 64), "Widths of the hidden layers.", title="Layers", min_length=0, max_length=6, fail_fast=True
    )
    activation: Literal["tanh", "relu", "elu"] = knob("tanh", "Activation of the hidden layers.", advanced=True)
    dropout: float = knob(
        0.0,
        "Share of the numbers behind the first hidden layer that training silences, others in each book and rollout.",
        unit="fraction",
        ge=0,
        lt=1,
        advanced=True,
    )
    n_steps: int = knob(64, "Steps of each environment in a rollout.", unit="steps", ge=2, le=8192, title="Rollout")
    batch_size: int = knob(1024, "Samples of a gradient step; at most a whole rollout.", ge=8, le=262_144)
    n_epochs: int = knob(4, "Passes over a rollout.", ge=1, le=50, title="Epochs")
    learning_rate: float = knob(1e-3, "Step size of the optimiser.", gt=0, le=1)
    learning_rate_end: float | None = knob(
        None,
        "What the learning rate becomes, evenly over the training, in its last update; empty leaves it as it is.",
        ge=0,
        le=1,
        advanced=True,
        title="Learning rate at the end",
    )
    gamma: float = knob(0.9, "Discount of later rewards.", ge=0, lt=1)
    gae_lambda: float = knob(0.95, "Smoothing of advantages.", ge=0, le=1, title="GAE lambda")
    clip_range: float = knob(0.2, "Clip of the probability ratio.", gt=0, le=1)
    clip_range_end: float | None = knob(
        None,
        "What the clip becomes, evenly over the training, in its last update; empty leaves it as it is.",
        ge=0,
        le=1,
        advanced=True,
        title="Clip range at the end",
    )
    ent_coef: float = knob(0.0, "Weight of the entropy bonus.", ge=0, le=1, title="Entropy weight")
    vf_coef: float = knob(0.5, "Weight of the value loss.", ge=0, le=10, title="Value weight")
    max_grad_norm: float = knob(0.5, "Clip of the gradient's norm.", gt=0, le=100, advanced=True, title="Gradient clip")
    target_kl: float | None = knob(
        None, "Early end of an update; empty is off.", gt=0, le=10, advanced=True, title="Target KL"
    )
    log_std_init: float = knob(
        -1.0, "Logarithm of the first action noise.", ge=-5, le=2, advanced=True, title="First noise, log"
    )
    minibatch_order: Annotated[str, later("shuffled", what="date-grouped minibatches")] = off(
        "shuffled", "shuffled or date_grouped."
    )
    cnn_channels: tuple[Channels, ...] | None = knob(
        None,
        f"Channels of each convolution of window_cnn; empty takes {', '.join(map(str, DEFAULT_CHANNELS))}.",
        min_length=1,
        max_length=6,
        fail_fast=True,
        advanced=True,
        title="CNN channels",
    )
    cnn_kernel: int | None = knob(
        None,
        f"Bars that one convolution of window_cnn reads; empty takes {DEFAULT_KERNEL}.",
        unit="bars",
        ge=1,
        le=16,
        advanced=True,
        title="CNN kernel",
    )
    lstm_hidden: int | None = knob(
        None,
        f"Numbers that each recurrence of window_lstm remembers; empty takes {DEFAULT_HIDDEN}.",
        ge=1,
        le=256,
        advanced=True,
        title="LSTM memory",
    )
    lstm_layers: int | None = knob(
        None,
        f"Recurrences of window_lstm, each reading the one before; empty takes {DEFAULT_RECURRENCES}.",
        ge=1,
        le=2,
        advanced=True,
        title="LSTM layers",
    )
    attention_heads: int | None = knob(
        None,
        f"Ways in which set_attention compares assets, a divisor of the asset features; empty takes {DEFAULT_HEADS}.",
        ge=1,
        le=16,
        advanced=True,
        title="Attention heads",
    )
    features_dim: int = knob(
        DEFAULT_WIDTH,
        "Width of what is kept of each asset; mlp keeps nothing of one, and takes no other than this.",
        ge=4,
        le=512,
        advanced=True,
        title="Asset features",
    )

    @model_validator(mode="before")
    @classmethod
    def _schedules(cls, group: Any) -> Any:
        return taken_apart(group)

    @model_validator(mode="after")
    def _of_its_network(self) -> Self:
        for field, network in ONLY_OF.items():
            if getattr(self, field) is not None and self.policy != network:
                raise ValueError(f"{field} belongs to {network}; leave it empty with {self.policy}")
        if self.policy == "mlp" and self.features_dim != DEFAULT_WIDTH:
            raise ValueError("features_dim is of networks that keep something of each asset; leave it out with mlp")
        if self.dropout and self.policy == "mlp" and not self.net_arch:
            raise ValueError("dropout must be 0 for mlp without a hidden layer; name one in model.net_arch")
        if self.policy == "set_attention" and self.features_dim % self.heads:
            raise ValueError(f"attention_heads {self.heads} must divide features_dim {self.features_dim}")
        return self

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of each convolution."""
        return self.cnn_channels or DEFAULT_CHANNELS

    @property
    def kernel(self) -> int:
        """Bars that one convolution reads."""
        return self.cnn_kernel or DEFAULT_KERNEL

    @property
    def hidden(self) -> int:
        """Numbers that a recurrence remembers."""
        return self.lstm_hidden or DEFAULT_HIDDEN

    @property
    def recurrences(self) -> int:
        """Recurrences, each reading the one before."""
        return self.lstm_layers or DEFAULT_RECURRENCES

    @property
    def heads(self) -> int:
        """Heads of attention."""
        return self.attention_heads or DEFAULT_HEADS

    def require(self, n_assets: int) -> None:
        """Raises ConfigFault where the network cannot take so many assets."""
        if self.policy == "set_attention" and n_assets > MOST_COMPARED:
            said = f"set_attention compares at most {MOST_COMPARED:,} symbols; there are {n_assets:,}."
            raise ConfigFault({"model.policy": [said]})


def conv_reach(layers: int, kernel: int) -> int:
    """Bars that one number behind so many convolutions, each taking every second position, has seen."""
    taps: int = (CNN_STRIDE**layers - 1) // (CNN_STRIDE - 1)
    return 1 + (kernel - 1) * taps
