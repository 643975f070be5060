"""The job of an imported result: the file's sha256, its rows, the bars that they are of, and the judgement."""

from backtest.config import ImportConfig
from backtest.feed import load_feed, read_config
from backtest.foreign.align import curve_of
from backtest.foreign.judge import judge_and_write
from backtest.foreign.reading import read
from backtest.foreign.table import ResultRefused, Rows
from backtest.imported import Imported
from runfiles import layout
from runfiles.hashes import sha256_of_file
from runfiles.job import Job, JobRefused
from simulator.jit import start_quickly


def run(job: Job) -> None:
    """Raises JobRefused with one sentence for bad input."""
    config = read_config(job, ImportConfig)
    start_quickly()
    try:
        rows = _rows(job, config)
        feed = load_feed(job, config.dataset)
        curve = curve_of(rows, config, feed.bars, config.episode.start_cash)
    except ResultRefused as fault:
        raise JobRefused(str(fault)) from fault
    days = feed.bars.session
    returns = config.result.holds != "equity"
    judge_and_write(job, config, feed, curve, Imported(
        sha256=config.file_sha256 or "", date=rows.date, value=rows.value, holds=config.result.holds,
        first=days[curve.span.t0 + returns].item(), last=days[curve.span.t1].item(),
        n_rows=curve.span.n_bars + (not returns),
    ))  # fmt: skip


def _rows(job: Job, config: ImportConfig) -> Rows:
    """The rows of the file in the run directory, which must be the one that was taken."""
    path = job.folder / layout.RESULT
    if config.file_sha256 is None or not path.is_file():
        raise JobRefused("result: no file lies in the run directory; give one.")
    if sha256_of_file(path) != config.file_sha256:
        raise JobRefused("file_sha256: the file in the run directory is not the one that was taken; send it again.")
    return read(path, config.result)
