"""The compiled step agrees with the oracle, written from numbers.md §1 alone, on random books, rules and decisions.

A case in which a comparison of the rules is too near for float64 is discarded; fewer than one in a hundred may be.
A seed that disagrees is a world: `differences(by_oracle(...), by_engine(...))` of `world(seed)` says what differs.
"""

from collections.abc import Callable

import pytest

from simulator.config import SimulatorConfig
from simulator.market import prepare_market
from simulator.rules import is_extended, make_rules
from tests.simulator.agreement import by_engine, by_oracle, differences, stepped, waterfall_differences
from tests.simulator.worlds import World, lean_world, world

QUICK, LONG, CHUNK = 300, 4000, 500
LEAN = 150


def compare(seeds: range, make: Callable[[int], World] = world) -> None:
    """Paths, fills and every effect of each layer; keeping a trail of these changes no result."""
    near, wrong = 0, {}
    for seed in seeds:
        case = make(seed)
        config = SimulatorConfig(**case.groups)
        result = by_oracle(case, config)
        if result.near:
            near += 1
            continue
        found = differences(result, by_engine(case, config), config.episode.start_cash)
        followed = stepped(case, config, trail=True)
        found += differences(result, followed.ledger(), config.episode.start_cash)
        found += waterfall_differences(result, followed.waterfall())
        if found:
            wrong[seed] = found[:3]
    assert not wrong
    assert near < 0.01 * len(seeds)


def test_a_few_hundred_random_worlds():
    compare(range(QUICK))


def test_the_lean_step_agrees_too():
    """Most random worlds need the extended step, which is other code in places; these need the lean one."""
    for seed in range(20):
        case = lean_world(seed)
        config = SimulatorConfig(**case.groups)
        market = prepare_market(case.bars, config)
        assert not is_extended(make_rules(config, market, policy_layers=case.layers == "policy"), market)
    compare(range(LEAN), lean_world)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, QUICK + LONG, CHUNK))
def test_thousands_of_random_worlds(first):
    compare(range(first, first + CHUNK))
