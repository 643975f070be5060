"""What a report says under its verdict of the accounts themselves, of a strategy and of an imported curve alike."""

from collections.abc import Sequence

from backtest.config import JudgedConfig
from backtest.degenerate import degenerate
from backtest.feed import Feed
from backtest.lineup import left_out_of
from backtest.registry import spec_for
from backtest.runner import Judged
from backtest.seed_figures import apart
from backtest.stamps import left_out_stamp, stamps
from backtest.yardsticks import cut_sentence, yardsticks
from marketdata.config import FeaturesConfig
from simulator.market import Market


def left_out_labels(key: str, config: JudgedConfig) -> list[str]:
    """Baselines that a verdict on the subject `key` needs and the configuration leaves out."""
    return [spec_for(one).label for one in left_out_of(key, config)]


def likenesses(judged: Sequence[Judged], config: JudgedConfig, market: Market) -> list[str]:
    """Whether the subject, first of `judged`, or one of its seeds is another account in disguise."""
    stand_in = "benchmark" if config.evaluation.benchmark is None else ""  # buy_hold again, and no likeness of its own
    others = [one for one in judged[1:] if one.key != stand_in]
    return [name for own in apart(judged[0]) for name in degenerate(own, others, market.periods_per_year)]


def closing_stamps(
    config: JudgedConfig, feed: Feed, market: Market, judged: Sequence[Judged], shown: Sequence[Judged],
    against: tuple[str, ...], features: FeaturesConfig | None,
) -> list[str]:  # fmt: skip
    """Baselines left out, books that ended, and what holds of the rules and the data."""
    key = judged[0].key
    measures = yardsticks(key, against, config.evaluation.benchmark)
    cut = cut_sentence({one.key: one.ledger for one in judged}, measures)
    return [
        *left_out_stamp(left_out_labels(key, config)), *([cut] if cut else []),
        *stamps(config, feed, market, shown, features),
    ]  # fmt: skip
