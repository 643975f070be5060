"""A fetch: `python -m marketdata.fetch RUN_DIR --datasets DIR`, the job of a run of kind `data`.

RUN_DIR holds `config.yaml`, a `DataConfig`. It asks the sources symbol by symbol, keeps what they say as raw copies,
and puts raw bars with splits and dividends into the store. Started again after a cut, it asks only for what is missing.
"""

import datetime as dt
import sys
import time
from collections.abc import Sequence

from pydantic import ValidationError

from marketdata.bars import Bars
from marketdata.config_base import ConfigFault, as_sentence, sentences
from marketdata.fetch_build import build, listed
from marketdata.fetch_chain import Chain, ProviderBusy, Served, alone_with
from marketdata.fetch_config import DataConfig, resolved
from marketdata.fetch_note import write_note
from marketdata.quality import QualityReport
from marketdata.store import EntryMeta, Store, StoreError
from runfiles.job import Job, JobRefused, run_job

MOST_TOLD = 20
"""Disagreements with the frozen copy that are told one by one."""
NEWS_S = 20.0
"""Between two signs of life of a job that waits."""


def run(job: Job) -> None:
    """The job: fetch, check, store. Raises JobRefused with one sentence."""
    now = dt.datetime.now(dt.UTC)
    config = _config(job, now.date())
    job.events.enter("data")
    chain = Chain(config, job.datasets, now, tell=lambda sentence: _tell(job, sentence), sleep=_Patience(job))
    try:
        with alone_with(job.datasets, config):
            served = _serve_all(job, chain)
    except ProviderBusy as fault:
        raise JobRefused(as_sentence(str(fault))) from fault
    _check_missing(chain, served)
    job.events.enter("report")
    try:
        bars, meta, report = build(chain, served)
        version = _put(job, bars, meta)
    except ValueError as fault:
        raise JobRefused(as_sentence(str(fault))) from fault
    write_note(job.folder, bars, meta, version, report, chain, served)
    _tell_findings(job, report, served)
    if report.refusal:
        job.events.alarm(f"{report.refusal} The dataset is stored; a run on these symbols and days is refused.")
    job.log(f"{meta.id} {version}: {bars.n_bars} bars of {listed(bars.symbols)}")


def _config(job: Job, today: dt.date) -> DataConfig:
    try:
        return resolved(DataConfig.model_validate(job.config), today)
    except ValidationError as error:
        raise JobRefused(ConfigFault(sentences(error)).first) from error
    except ConfigFault as fault:
        raise JobRefused(fault.first) from fault


class _Patience:
    """Waits, and says now and then that the job is alive."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._job.events.metric(waits_s=round(left, 1))
            time.sleep(min(left, NEWS_S))
        self._job.events.metric(waits_s=None)


def _serve_all(job: Job, chain: Chain) -> list[Served]:
    symbols, served = chain.config.symbols, list[Served]()
    began = time.monotonic()
    for done, symbol in enumerate(symbols):
        job.events.progress(done, len(symbols), done / max(time.monotonic() - began, 1e-9) if done else None)
        found = chain.serve(symbol)
        if found is None:
            _tell(job, f"{symbol} cannot be had. {' '.join(chain.failed[symbol])}")
            continue
        served.append(found)
        job.log(f"{symbol}: {len(found.known.time)} bars from {found.key}, {found.asked} of them asked for now")
    job.events.progress(len(symbols), len(symbols))
    return served


def _check_missing(chain: Chain, served: Sequence[Served]) -> None:
    """Raises JobRefused where symbols are missing and the configuration does not leave them out."""
    if not chain.failed or (served and chain.config.missing == "leave_out"):
        return
    first, why = next(iter(chain.failed.items()))
    others = list(chain.failed)[1:]
    more = f" So too {listed(others)}." if others else ""
    advice = "" if not served else " What was fetched is kept; missing: leave_out makes a dataset of the others."
    raise JobRefused(f"{first} cannot be had. {' '.join(why)}{more}{advice}")


def _tell_findings(job: Job, report: QualityReport, served: Sequence[Served]) -> None:
    """Each disagreement, up to a number; of all else the first of a kind."""
    apart = [text for each in served for _, text in each.known.disagreements]
    for sentence in apart[:MOST_TOLD]:
        job.events.warning(sentence, code="disagrees")
    if len(apart) > MOST_TOLD:
        job.events.warning(f"And {len(apart) - MOST_TOLD} more disagreements; dataset.json has them all.")
    for code, sentence in report.told.items():
        if code != "disagrees":
            job.events.warning(sentence, code=code)


def _put(job: Job, bars: Bars, meta: EntryMeta) -> str:
    try:
        return Store(job.datasets).put(bars, meta)
    except StoreError as fault:
        raise ValueError(str(fault)) from fault


def _tell(job: Job, sentence: str) -> None:
    job.log(sentence)
    job.events.warning(sentence)


def main(argv: Sequence[str]) -> int:
    return run_job(run, argv)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
