"""A policy of SB3 taken apart: what its layers make of windows (rl.date_parts), and the rest as a `Net` (rl.acting)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy, MultiInputActorCriticPolicy
from stable_baselines3.common.torch_layers import CombinedExtractor
from torch import Tensor, nn

from rl.acting import ELU, RELU, TANH, Net
from rl.date_parts import Reader, flat_reader, shared_reader
from rl.networks import AssetSharedPolicy, Scores, SharedEncoder, SharedHeads
from rl.observation_layout import ObservationLayout

ACTIVATIONS: dict[type[nn.Module], int] = {nn.Tanh: TANH, nn.ReLU: RELU, nn.ELU: ELU}
NONE = -1
Floats = NDArray[np.float64]


def taken_apart(policy: BasePolicy, layout: ObservationLayout) -> tuple[Reader, Net] | None:
    """None for a network that is not one of ours, or activated otherwise: it acts as SB3 has it."""
    kind = ACTIVATIONS.get(getattr(policy, "activation_fn", nn.Module))
    if kind is None or (kind == ELU and policy.activation_fn().alpha != 1.0):
        return None
    extractor = policy.features_extractor
    if isinstance(policy, AssetSharedPolicy) and isinstance(extractor, SharedEncoder):
        return shared_reader(extractor, layout.lookback), _shared(policy, layout, kind)
    if type(policy) is MultiInputActorCriticPolicy and type(extractor) is CombinedExtractor:
        stack = _linear([*policy.mlp_extractor.policy_net, policy.action_net])
        return flat_reader(stack[0], layout.portfolio_size, layout.lookback), _flat(policy, stack, layout, kind)
    return None


@dataclass
class _Packed:
    """Layers one behind the other, as `Net` has them."""

    rows: list[tuple[int, int, int, int]] = field(default_factory=list)
    numbers: list[Floats] = field(default_factory=list)
    size: int = 0

    def add(self, weight: Tensor | Floats, bias: Tensor | None = None) -> None:
        """`weight` (out, in)."""
        turned = _numbers(weight).T
        at = self._put(turned)
        self.rows.append((*turned.shape, at, NONE if bias is None else self._put(_numbers(bias))))

    def layer(self, one: nn.Module) -> None:
        assert isinstance(one, nn.Linear)
        self.add(one.weight, one.bias)

    def nothing(self, width: int) -> None:
        """A layer that hands on what it gets."""
        self.rows.append((width, 0, 0, NONE))

    def _put(self, values: Floats) -> int:
        at, self.size = self.size, self.size + values.size
        self.numbers.append(values.ravel())
        return at

    @property
    def weights(self) -> Floats:
        return np.concatenate([*self.numbers, np.zeros(1)])

    @property
    def layers(self) -> NDArray[np.int64]:
        return np.array(self.rows, dtype=np.int64).reshape(-1, 4)


def _numbers(values: Tensor | Floats) -> Floats:
    found = values if isinstance(values, np.ndarray) else values.detach().cpu().numpy()
    return np.ascontiguousarray(found, dtype=np.float64)


def _linear(modules: Sequence[nn.Module]) -> list[nn.Linear]:
    return [one for one in modules if isinstance(one, nn.Linear)]


def _flat(policy: BasePolicy, stack: list[nn.Linear], layout: ObservationLayout, kind: int) -> Net:
    packed = _Packed()
    packed.add(_numbers(stack[0].weight)[:, : layout.portfolio_size])
    for one in stack[1:]:
        packed.layer(one)
    return _net(policy, packed, kind, codes=(0, 0), context=0)


def _shared(policy: AssetSharedPolicy, layout: ObservationLayout, kind: int) -> Net:
    encoder, heads, scores = policy.features_extractor, policy.mlp_extractor, policy.action_net
    assert isinstance(heads, SharedHeads) and isinstance(scores, Scores)
    packed, deeper, cash = _Packed(), _linear([*heads.deeper]), _linear([*heads.cash])
    packed.add(encoder.own.weight)
    if isinstance(heads.from_code, nn.Linear):
        packed.layer(heads.from_code)
    else:
        packed.nothing(encoder.features_dim)
    packed.add(heads.from_context.weight)
    for one in (*deeper, scores.asset):
        packed.layer(one)
    if scores.cash is not None:
        for one in (*cash, scores.cash):
            packed.layer(one)
    starts = np.cumsum([0, *(width for width, _ in layout.parts)])
    own = [int(at) for at, (_, per_asset) in zip(starts, layout.parts, strict=False) if per_asset]
    book = [int(at) + k for at, (width, per_asset) in zip(starts, layout.parts, strict=False) if not per_asset
            for k in range(width)]  # fmt: skip
    codes = (encoder.n_assets, encoder.features_dim)
    return _net(policy, packed, kind, codes=codes, context=encoder.context_dim, deeper=len(deeper), own=own, book=book)


def _net(policy: BasePolicy, packed: _Packed, kind: int, *, codes: tuple[int, int], context: int, deeper: int = 0,
         own: Sequence[int] = (), book: Sequence[int] = ()) -> Net:  # fmt: skip
    space, layers = policy.action_space, packed.layers
    if isinstance(space, spaces.Box):
        choices, low, high = 0, space.low.astype(np.float64), space.high.astype(np.float64)
    else:
        assert isinstance(space, spaces.MultiDiscrete)
        choices, low, high = int(space.nvec[0]), np.zeros(len(space.nvec)), space.nvec - 1.0
    widest = max(int(layers[:, :2].max()), context, 1)
    return Net(
        shared=codes[0] > 0, activation=kind, choices=choices, deeper=deeper, low=low, high=high,
        weights=packed.weights, layers=layers, own=np.array(own, dtype=np.int64), book=np.array(book, dtype=np.int64),
        codes=np.zeros(codes), context=np.zeros(context), base=np.zeros(widest), one=np.zeros(widest),
        other=np.zeros(widest), action=np.zeros((1, len(low))),
    )  # fmt: skip
