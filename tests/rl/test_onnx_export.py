"""The exported graph, run by ONNX Runtime, acts as torch does on 1,000 observations."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from gymnasium import spaces
from stable_baselines3 import PPO

from marketdata.splits import Range
from rl import export_onnx, policy_file
from rl.nets import NETS
from rl.onnx_export import feeds, to_onnx
from rl.policy_format.build import build_policy
from rl.policy_import.reader import read_policy
from rl.task import Task
from tests.rl.planted import costs, planted, task_of
from tests.rl.policy_import.hostile import evil
from tests.rl.policy_import.saves import KINDS, samples, saved
from tests.rl.test_policy_file import LEARNED, trained

ROWS = 1000


def run(content: bytes, given: dict[str, np.ndarray]) -> np.ndarray:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found: Any = session.run(["action"], given)[0]
    return np.asarray(found)


def check_equal(acted: np.ndarray, expected: np.ndarray, space: spaces.Space) -> None:
    """Choices to the last one; numbers to float32's rounding of sums in another order."""
    assert acted.shape == expected.shape
    if isinstance(space, spaces.Box):
        np.testing.assert_allclose(acted, expected, rtol=1e-5, atol=1e-5)
    else:
        assert np.array_equal(acted, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_save_of_stock_sb3_acts_the_same(kind: str) -> None:
    seen, done, _ = KINDS[kind]
    document = read_policy(saved(kind))[0]
    policy = build_policy(document.spec, document.weights)
    batch = samples(seen, ROWS)

    acted = run(to_onnx(policy), feeds(policy, batch))

    expected = PPO.load(io.BytesIO(saved(kind)), device="cpu").predict(batch, deterministic=True)[0]
    check_equal(acted, np.asarray(expected), done)


@pytest.mark.parametrize("policy", list(NETS))
@pytest.mark.parametrize("mode", ["simplex_cash", "discrete"])
def test_a_policy_of_ours_acts_the_same(policy: str, mode: str) -> None:
    data = planted(n_bars=400, n_assets=3)
    task = task_of(data, Range(20, 300), config=costs(mapping_mode=mode))
    model = trained(task, policy=policy)
    chance = np.random.default_rng(0)
    given = {
        "window": task.windows.gather(chance.integers(20, 390, ROWS)),
        "portfolio": chance.standard_normal((ROWS, task.layout.portfolio_size)).astype(np.float32),
    }

    acted = run(to_onnx(model.policy), feeds(model.policy, given))

    check_equal(acted, model.predict(given, deterministic=True)[0], task.layout.action_space())
    assert len(np.unique(acted, axis=0)) > 1 or mode == "discrete"


def test_one_row_or_many(task: Task) -> None:
    model = trained(task)
    content = to_onnx(model.policy)
    assert content == to_onnx(model.policy)
    for rows in (1, 7):
        given = {
            "window": task.windows.gather(np.arange(100, 100 + rows)),
            "portfolio": np.zeros((rows, task.layout.portfolio_size), np.float32),
        }
        assert run(content, feeds(model.policy, given)).shape == (rows, 4)


def test_the_command_writes_the_graph(task: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "p.zip", tmp_path / "p.onnx"
    model = trained(task)
    path.write_bytes(policy_file.pack(model, task.normaliser, task.layout, LEARNED))

    assert export_onnx.main([str(path), str(out)]) == 0

    assert out.read_bytes() == to_onnx(model.policy)
    assert capsys.readouterr().out == "AssetSharedPolicy: portfolio, window to action\n"


def test_the_command_refuses_what_the_import_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.zip").write_bytes(evil("policy_class"))

    assert export_onnx.main([str(tmp_path / "p.zip"), str(tmp_path / "p.onnx")]) == 2

    assert capsys.readouterr().err.startswith("suspicious_pickle: ") and not (tmp_path / "p.onnx").exists()
