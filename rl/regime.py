"""The regime model of a training: fitted on its training bars, and shown to the leak gate."""

import numpy as np
from numpy.typing import NDArray

from backtest.leaks.probes import Statistic
from marketdata.bars import Bars
from marketdata.config_base import ConfigFault
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
        raise ConfigFault({"regime.n_states": [f"{str(fault)[:1].upper()}{str(fault)[1:]}."]}) from fault


def again(model: RegimeModel, bars: Bars, train: Range) -> NDArray[np.float64]:
    """The numbers of the same fit on the training bars alone, every later bar cut off."""
    alone = bars.between(bars.session[0].item(), bars.session[train.t1].item())
    return fit_regime(alone, train, n_states=model.n_states, inputs=model.inputs, seed=model.seed).numbers()


def statistic(model: RegimeModel, refitted: NDArray[np.float64] | None, why: str = "", *,
              frozen: bool = False) -> Statistic:  # fmt: skip
    """For the leak gate: the numbers of a model beside those of the same fit `again`."""
    return Statistic("regime", model.labels, model.numbers(), refitted, why, frozen=frozen)
