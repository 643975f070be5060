"""A bar on a day that the calendar does not know is no part of the week that was complete before it."""

import dataclasses

import numpy as np

from marketdata.config import FeaturesConfig
from marketdata.features import build_features, plan_of
from tests.marketdata.build import random_ohlcv


def test_of_the_week_before_good_friday() -> None:
    bars = random_ohlcv(900, 2)
    friday = int(np.searchsorted(bars.session, np.datetime64("2022-04-15")))
    assert bars.session[friday] == np.datetime64("2022-04-15")  # weekdays, holidays among them
    close = bars.close.copy()
    close[friday] *= 1.5
    assert bars.high is not None
    other = dataclasses.replace(bars, close=close, high=np.maximum(bars.high, close))
    plan = plan_of(FeaturesConfig(feature_set=(), indicators=("log_return(1)@1w",)), bars)
    mine, theirs = (build_features(each, plan).values for each in (bars, other))
    assert np.isfinite(mine[friday - 1]).all()
    assert np.array_equal(mine[:friday], theirs[:friday], equal_nan=True)
    assert not np.array_equal(mine[friday:], theirs[friday:], equal_nan=True)
