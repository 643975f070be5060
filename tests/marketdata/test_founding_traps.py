"""Faults of the founding system that must not come back (data and regimes): each was wrong there in the way told."""

import gzip
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from marketdata.bars import Bars
from marketdata.regime import WARMUP, RegimeModel
from marketdata.regime_fit import fit_regime
from marketdata.setup_samples import put_samples
from marketdata.sources.sample import package_file
from marketdata.splits import Range
from marketdata.store import Store
from tests.marketdata.build import bars_of, meta, random_bars

ROOT = Path(__file__).resolve().parents[2]
READ = """
import sys
from pathlib import Path
from marketdata.catalog import Catalog
catalog = Catalog(Path(sys.argv[1]))
bars = catalog.store.load(catalog.find("sample/us20").version)
print(bars.close[-1].tolist(), catalog.find("sample/us20").version)
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("datasets")
    put_samples(Store(root))
    return root


def test_trap_1_what_is_read_from_the_store_is_what_the_source_said_in_every_process(store: Path) -> None:
    """There "cached" prices were drawn from a generator whose seed was Python's string hash, another one each time."""
    said = [
        subprocess.run(
            [sys.executable, "-c", READ, str(store)], cwd=ROOT, capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    with gzip.open(package_file("skfolio", "datasets/data/sp500_dataset.csv.gz"), "rt") as stream:
        last = [float(value) for value in stream.read().split()[-1].split(",")[1:]]
    assert said[0] == said[1] and said[0].startswith(str(last))


def two_states() -> RegimeModel:
    """Of the market's return alone: calm N(0, 1), wild N(0, 3²) of standardised returns; one day in ten changes."""
    return RegimeModel(
        inputs=("return",), start=np.array([0.5, 0.5]), transition=np.array([[0.9, 0.1], [0.1, 0.9]]),
        means=np.zeros((2, 1)), covariances=np.array([[[1.0]], [[9.0]]]), centre=np.zeros(1), scale=np.array([0.01]),
        seed=0,
    )  # fmt: skip


def returns_then(*last: float) -> Bars:
    """A market that stands still through the warm-up, then has these log returns."""
    steps = np.concatenate((np.zeros(WARMUP), last))
    return bars_of(100 * np.exp(np.cumsum(steps)))


def test_trap_8_a_belief_is_filtered_and_two_bars_of_it_are_these_numbers() -> None:
    """There it was smoothed: what came later told which state it had been.

    A return of 0 has density 1 : 1/3. Before it ½ each, so 3/4 calm. Then 3 %: exp(−9/2) : exp(−1/2)/3 of moved
    0.75·0.9 + 0.25·0.1 = 0.7 and 0.3.
    """
    quiet, wild = 0.7 * math.exp(-4.5), 0.3 * math.exp(-0.5) / 3
    beliefs = two_states().beliefs(returns_then(0.0, 0.03))
    assert beliefs[-2, 0] == pytest.approx(0.75, abs=1e-12)
    assert beliefs[-1, 0] == pytest.approx(quiet / (quiet + wild), abs=1e-12)


def test_trap_8_the_bar_about_to_be_traded_is_not_read() -> None:
    """There the row of the next bar. Whatever that bar does, the belief of the close before it stays."""
    rows = [two_states().beliefs(returns_then(0.0, later))[-2].tolist() for later in (-0.2, 0.0, 0.2)]
    assert rows[0] == rows[1] == rows[2] == pytest.approx([0.75, 0.25])


def test_trap_8_inputs_are_standardised_by_the_training_bars() -> None:
    """There by the whole window. Wild bars after the training range move neither its centre nor its scale."""
    bars, train = random_bars(400, assets=3), Range(30, 250)
    model = fit_regime(bars, train, n_states=2, inputs=("return",), seed=0)
    market = np.diff(np.log(bars.close), axis=0, prepend=np.nan).mean(axis=1)[train.t0 : train.t1 + 1]
    assert model.centre[0] == pytest.approx(market.mean(), rel=1e-12)
    assert model.scale[0] == pytest.approx(market.std(), rel=1e-12)


def test_trap_8_states_keep_their_names() -> None:
    """There a new fit on the judged range could swap them. Here the first is the calmest, whichever bars are fitted."""
    bars = random_bars(900, assets=3)
    for train in (Range(30, 300), Range(200, 600), Range(30, 800)):
        model = fit_regime(bars, train, n_states=2, inputs=("return", "volatility"), seed=4)
        assert model.names == ("regime(1)", "regime(2)") and model.means[0, 1] < model.means[1, 1]


def test_trap_24_a_datasets_version_is_of_its_content(tmp_path: Path) -> None:
    """There of path, size and time. One price in its last digit is another version; the same prices are the same."""
    close = random_bars(30).close
    other = close.copy()
    other[-1, -1] = np.nextafter(other[-1, -1], np.inf)
    rows = (close, close, other)
    stored = [Store(tmp_path / name).put(bars_of(each), meta()) for name, each in zip("abc", rows, strict=True)]
    assert stored[0] == stored[1] != stored[2]
