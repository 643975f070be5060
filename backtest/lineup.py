"""Who stands beside the subject: the baselines of the report, those of the verdict, and those left out of it."""

from backtest.config import JudgedConfig
from backtest.registry import IN_VERDICT, MATCHED_RANDOM, spec_for


def wanted_baselines(config: JudgedConfig, subject: str) -> list[str]:
    """Baselines of the report in the order asked for, without the subject; cash where none is asked for."""
    wanted = [spec_for(key).key for key in config.evaluation.baselines if key not in (subject, MATCHED_RANDOM)]
    return wanted or [key for key in ("cash",) if key != subject]


def verdict_baselines(subject: str, config: JudgedConfig) -> tuple[str, ...]:
    """Those of the report that count in the verdict; a benchmark for which `buy_hold` stands counts once."""
    wanted = wanted_baselines(config, subject)
    keys = [key for key in wanted if spec_for(key).in_verdict]
    if config.evaluation.benchmark is None and "buy_hold" in (subject, *keys):
        keys = [key for key in keys if key != "benchmark"]
    return tuple(keys)


def left_out_of(subject: str, config: JudgedConfig) -> tuple[str, ...]:
    """Baselines of the verdict that nobody asked for; `buy_hold` and a benchmark without a name are the same one."""
    present = {subject, *wanted_baselines(config, subject)}
    same = {"buy_hold", "benchmark"}
    if config.evaluation.benchmark is None:
        present |= same if present & same else {"benchmark"}
    return tuple(key for key in IN_VERDICT if key not in present)
