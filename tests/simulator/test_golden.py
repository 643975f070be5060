"""Every case on paper comes out of the oracle and out of the compiled step."""

import numpy as np
import pytest

from simulator.config import SimulatorConfig
from tests.simulator.agreement import by_engine, by_oracle, engine_columns, engine_fills, oracle_columns, oracle_fills
from tests.simulator.golden import GOLDEN, Golden
from tests.simulator.oracle.settings import merged, settings
from tests.simulator.worlds import World

CASES = pytest.mark.parametrize("case", GOLDEN, ids=[case.name for case in GOLDEN])


def world_of(case: Golden) -> World:
    decisions = {t: np.array(row, dtype=float) for t, row in case.decisions.items()}
    return World(
        case.bars, merged(case.groups), decisions, case.t0, case.bars.n_bars - 1, case.layers, case.cost_multiplier
    )


def check(case: Golden, columns: dict, fills: list) -> None:
    for name, expected in case.expect.items():
        np.testing.assert_allclose(columns[name], np.array(expected, dtype=float), rtol=0, atol=1e-9, err_msg=name)
    if case.fills is not None:
        assert [fill[:2] for fill in fills] == [fill[:2] for fill in case.fills]
        np.testing.assert_allclose(
            [fill[2:] for fill in fills], [fill[2:] for fill in case.fills], rtol=1e-12, atol=1e-12
        )


@CASES
def test_the_oracle_gives_what_paper_gives(case: Golden):
    result = by_oracle(world_of(case), settings(case.groups))
    check(case, oracle_columns(result), oracle_fills(result))


@CASES
def test_the_compiled_step_gives_what_paper_gives(case: Golden):
    world = world_of(case)
    ledger = by_engine(world, SimulatorConfig(**world.groups))
    check(case, engine_columns(ledger), engine_fills(ledger))
