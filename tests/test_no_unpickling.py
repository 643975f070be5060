"""Nothing of ours unpickles, by pickle or by a library that does it for us. Read from the source, call by call.

Benchmarks are left out: they run peers as they are, stock `PPO.load` on a file that they have just saved among them.
"""

import ast

import pytest

from tests.test_architecture import OURS, ROOT, files, imported

MODULES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}
"""Nothing imports them; pickletools, which only lists opcodes, is another module."""
CALLS = {"torch.load", "torch.jit.load", "torch.hub.load", "th.load", "pd.read_pickle", "pandas.read_pickle",
         "load_from_zip_file", "load_from_pkl", "json_to_data", "VecNormalize.load", "PPO.load", "BasePolicy.load",
         "ActorCriticPolicy.load", "MultiInputActorCriticPolicy.load", "load_replay_buffer"}  # fmt: skip


def faults(source: str) -> list[str]:
    """What the source does that it must not, with the line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (fault := forbidden(node)):
            found.append(f"{node.lineno}: {fault}")
    return found


def forbidden(call: ast.Call) -> str:
    name = ast.unparse(call.func)
    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    short = name.rsplit(".", 1)[-1]
    if (
        name in CALLS
        or ".".join(name.rsplit(".", 2)[-2:]) in CALLS
        or short in CALLS
        or short in {"read_pickle", "Unpickler"}
    ):
        return f"{name} unpickles"
    if keywords.get("allow_pickle", "False") != "False" and short == "load":
        return f"{name} with allow_pickle"
    if name in {"yaml.load", "yaml.load_all"} and keywords.get("Loader") != "_Loader":
        return f"{name} with a loader that is not runfiles.yamlio's"
    if name in {"yaml.unsafe_load", "yaml.full_load"}:
        return f"{name} makes objects"
    return ""


@pytest.mark.parametrize("package", [*sorted(OURS), "scripts"])
def test_no_file_of_ours_unpickles(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{fault}" for path in files(package) for fault in faults(path.read_text())
    ] + [
        f"{path.relative_to(ROOT)}:{line}: imports {name}"
        for path in files(package)
        for line, name in imported(path)
        if name.split(".")[0] in MODULES
    ]  # fmt: skip
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "line",
    ["torch.load(x)", "PPO.load(path)", "stable_baselines3.PPO.load(path)", "np.load(x, allow_pickle=True)",
     "pd.read_pickle(x)", "yaml.load(x, Loader=yaml.Loader)", "yaml.full_load(x)", "VecNormalize.load(a, b)",
     "load_from_zip_file(x)", "pickle.Unpickler(x).load()"],
)  # fmt: skip
def test_it_sees_each_way(line: str) -> None:
    assert faults(line)


def test_it_lets_pass_what_is_safe() -> None:
    assert not faults(
        "np.load(x); np.load(x, allow_pickle=False); json.loads(x); yaml.load(x, Loader=_Loader); own.load(x)"
    )
