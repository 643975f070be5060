"""A policy as an ONNX graph: from an observation to the deterministic action, for programs that have no torch.

| what   | is                                                                                                    |
|--------|-------------------------------------------------------------------------------------------------------|
| inputs | one for each part of a `Dict` observation, by its name, else `observation`; first axis: rows          |
| output | `action`, (rows, …): what `predict(deterministic=True)` gives, bounds of a `Box` applied              |

Scaling of features is not in the graph: it takes what the policy takes (`stockbot/obsnorm.json` says how that is made).
"""

import io
import warnings
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import onnx
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

OPSET = 17
ONE = "observation"
ACTION = "action"


class Acting(nn.Module):
    """The deterministic action of a policy, by tensor operations alone."""

    def __init__(self, policy: ActorCriticPolicy, names: list[str]) -> None:
        super().__init__()
        self.policy, self._names = policy, names
        self._space: spaces.Space = policy.action_space
        if isinstance(self._space, spaces.Box):
            self.register_buffer("low", torch.from_numpy(self._space.low))
            self.register_buffer("high", torch.from_numpy(self._space.high))

    def forward(self, *parts: Tensor) -> Tensor:
        seen: Any = dict(zip(self._names, parts, strict=True)) if self._names != [ONE] else parts[0]
        features = self.policy.extract_features(seen, self.policy.pi_features_extractor)
        return self._mode(self.policy.action_net(self.policy.mlp_extractor.forward_actor(features)))

    def _mode(self, told: Tensor) -> Tensor:
        """The likeliest action of the distribution whose parameters are `told`."""
        if isinstance(self._space, spaces.Box):
            return torch.minimum(torch.maximum(told, cast(Tensor, self.low)), cast(Tensor, self.high))
        if isinstance(self._space, spaces.MultiDiscrete):
            choices = torch.split(told, [int(n) for n in self._space.nvec], dim=1)
            return torch.stack([choice.argmax(dim=1) for choice in choices], dim=1)
        if isinstance(self._space, spaces.MultiBinary):
            return (told > 0).to(torch.int64)
        return told.argmax(dim=1) + int(self._space.start)


def to_onnx(policy: ActorCriticPolicy) -> bytes:
    """The graph's bytes, checked by ONNX; the same policy gives the same bytes."""
    names = input_names(policy.observation_space)
    policy.set_training_mode(False)
    graph = io.BytesIO()
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), torch.no_grad():
        warnings.simplefilter("ignore")  # of tracing: shapes that are fixed here are fixed in the policy too
        torch.onnx.export(
            Acting(policy, names), tuple(_example(policy, names)),
            graph,  # type: ignore[arg-type]  # this exporter, the only one without a further package, takes a stream
            dynamo=False, opset_version=OPSET, input_names=names, output_names=[ACTION],
            dynamic_axes={name: {0: "rows"} for name in [*names, ACTION]},
        )  # fmt: skip
    content = graph.getvalue()
    onnx.checker.check_model(onnx.load_model_from_string(content), full_check=True)
    return content


def input_names(space: spaces.Space) -> list[str]:
    """Names of the graph's inputs, in their order."""
    return list(space.spaces) if isinstance(space, spaces.Dict) else [ONE]


def feeds(policy: ActorCriticPolicy, seen: Any) -> dict[str, np.ndarray[Any, Any]]:
    """A batch of observations as the graph's inputs."""
    parts: Mapping[str, Any] = seen if isinstance(seen, Mapping) else {ONE: seen}
    inner = policy.observation_space
    kinds = inner.spaces if isinstance(inner, spaces.Dict) else {ONE: inner}
    return {name: np.asarray(part).astype(kinds[name].dtype, copy=False) for name, part in parts.items()}


def _example(policy: ActorCriticPolicy, names: list[str]) -> list[Tensor]:
    """Two rows to trace with."""
    space = policy.observation_space
    space.seed(0)
    rows = [space.sample() for _ in range(2)]
    batch = {name: np.stack([row[name] if isinstance(row, dict) else row for row in rows]) for name in names}
    return [torch.from_numpy(np.ascontiguousarray(part)) for part in feeds(policy, batch).values()]
