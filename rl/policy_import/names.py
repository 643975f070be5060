"""Every name that the pickles of a plain PPO policy hold. Any other makes the whole file suspicious."""

from typing import Final

from rl.policy_format.registry import ACTIVATIONS
from rl.policy_import.pickle_reader import Global


def _all(module: str, *names: str) -> set[Global]:
    return {Global(module, name) for name in names}


MLP: Final = Global("stable_baselines3.common.policies", "ActorCriticPolicy")
MULTI_INPUT: Final = Global("stable_baselines3.common.policies", "MultiInputActorCriticPolicy")
_UTILS = "stable_baselines3.common.utils"
FLOAT_SCHEDULE: Final = Global(_UTILS, "FloatSchedule")
CONSTANT_SCHEDULE: Final = Global(_UTILS, "ConstantSchedule")
LINEAR_SCHEDULE: Final = Global(_UTILS, "LinearSchedule")

BOX: Final = Global("gymnasium.spaces.box", "Box")
DISCRETE: Final = Global("gymnasium.spaces.discrete", "Discrete")
MULTI_DISCRETE: Final = Global("gymnasium.spaces.multi_discrete", "MultiDiscrete")
MULTI_BINARY: Final = Global("gymnasium.spaces.multi_binary", "MultiBinary")
DICT: Final = Global("gymnasium.spaces.dict", "Dict")

DTYPE: Final = Global("numpy", "dtype")
NDARRAY: Final = Global("numpy", "ndarray")
FROM_BUFFER: Final = (Global("numpy._core.numeric", "_frombuffer"), Global("numpy.core.numeric", "_frombuffer"))
RECONSTRUCT: Final = (
    Global("numpy._core.multiarray", "_reconstruct"), Global("numpy.core.multiarray", "_reconstruct"),
)  # fmt: skip
SCALAR: Final = (Global("numpy._core.multiarray", "scalar"), Global("numpy.core.multiarray", "scalar"))

ORDERED_DICT: Final = Global("collections", "OrderedDict")
REBUILD_TENSOR: Final = Global("torch._utils", "_rebuild_tensor_v2")
FLOAT_STORAGE: Final = Global("torch", "FloatStorage")

ACTIVATION: Final = {Global(*dotted.split(":")): name for name, dotted in ACTIVATIONS.items()}

_RANDOM = (
    _all("numpy.random._pickle", "__generator_ctor", "__bit_generator_ctor", "__randomstate_ctor")
    | _all("numpy.random._pcg64", "PCG64", "PCG64DXSM")
    | _all("numpy.random._mt19937", "MT19937")
    | _all("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence", "SeedSequence")
)
IN_DATA: Final = frozenset(
    {MLP, MULTI_INPUT, FLOAT_SCHEDULE, CONSTANT_SCHEDULE, LINEAR_SCHEDULE, BOX, DISCRETE, MULTI_DISCRETE,
     MULTI_BINARY, DICT, DTYPE, NDARRAY, ORDERED_DICT, Global("collections", "deque"),
     *FROM_BUFFER, *RECONSTRUCT, *SCALAR, *ACTIVATION, *_RANDOM}
    | _all("stable_baselines3.common.buffers", "RolloutBuffer", "DictRolloutBuffer")
)  # fmt: skip
"""Names of the values of `data`."""
IN_WEIGHTS: Final = frozenset(
    {ORDERED_DICT, REBUILD_TENSOR}
    | _all(
        "torch", "FloatStorage", "DoubleStorage", "HalfStorage", "LongStorage", "IntStorage", "BoolStorage", "device"
    )
)
"""Names of the pickles inside `*.pth`."""
IN_CODE: Final = frozenset(
    _all("cloudpickle.cloudpickle", "_make_function", "_builtin_type", "_function_setstate", "_make_empty_cell",
         "_make_cell", "_cell_set", "subimport")
    | _all("builtins", "float", "int", "max", "min", "abs", "round", "pow", "bool")
    | _all("math", "cos", "sin", "exp", "log", "sqrt", "pow", "tanh", "floor", "ceil")
)  # fmt: skip
"""What cloudpickle writes of a function. Only a schedule may be one; it is dropped."""
