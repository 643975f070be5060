"""The regime model of a training: fitted on its training bars, and shown to the leak gate."""

import numpy as np

from backtest.leaks.probes import Statistic
from marketdata.bars import Bars
from marketdata.config_base import ConfigFault, as_sentence
from marketdata.regime import RegimeFault, RegimeModel
from marketdata.regime_fit import fit_regime
from marketdata.splits import Range
from rl.config import TrainConfig


def regime_of(config: TrainConfig, bars: Bars, train: Range) -> RegimeModel | None:
    """The regime model of the training bars, None where none is asked for. Raises ConfigFault."""
    asked = config.regime
    if not asked.enabled:
        return None
    try:
        return fit_regime(bars, train, n_states=asked.n_states, inputs=asked.features, seed=config.training.seeds[0])
    except RegimeFault as fault:
        raise ConfigFault({"regime.n_states": [as_sentence(str(fault))]}) from fault


def statistic(model: RegimeModel, bars: Bars, train: Range, *, frozen: bool = False) -> Statistic:
    """For the leak gate: the numbers of a model beside those of the same fit on the training bars alone.

    The fit multiplies matrices, so that another machine rounds it otherwise: what the two believe on those bars counts.
    """
    alone = bars.between(bars.session[0].item(), bars.session[train.t1].item())
    again = fit_regime(alone, train, n_states=model.n_states, inputs=model.inputs, seed=model.seed)
    believed = (fit.beliefs(alone)[train.t0 : train.t1 + 1] for fit in (model, again))
    apart = float(np.abs(np.subtract(*believed)).max())
    return Statistic("regime", model.labels, model.numbers(), again.numbers(), frozen=frozen, apart=apart)


def unexamined(model: RegimeModel, why: str) -> Statistic:
    """For the leak gate: a model whose training bars are not at hand."""
    return Statistic("regime", model.labels, model.numbers(), None, why, frozen=True)
