"""A training with several seeds: the policies of all are judged as one subject.

The server trains each seed as a run of its own and puts its policy here before this job starts (`seeds.json` and
`seeds/<seed>.zip`). By hand nobody did: then each seed is trained here, one after the other, in a run directory of its
own, `seeds/<seed>/`.
"""

from collections.abc import Callable

from backtest import judge
from backtest.feed import load_feed, write_note
from backtest.holding import require_benchmark
from backtest.run import several_seeds
from marketdata.config_base import ConfigFault, canonical
from marketdata.features import build_features, plan_of
from marketdata.splits import make_ranges
from rl.config import TrainConfig
from runfiles import atomic, layout, manifest, outcome, seed_list, yamlio
from runfiles.job import Job, JobCancelled, JobRefused, run_job
from simulator.market import prepare_market

Train = Callable[[Job], None]


def judge_seeds(job: Job, config: TrainConfig, train: Train) -> None:
    """The job of a training with several seeds; `train` is that of one. Raises JobRefused with one sentence."""
    if not (job.folder / layout.SEEDS_LIST).is_file():
        train_here(job, config, train)
    feed = load_feed(job, config.dataset)
    try:
        plan = plan_of(config.features, feed.bars)
        ranges = make_ranges(config.split, feed.bars.session, lookback=config.features.lookback, warmup=plan.warmup)
        require_benchmark(config.evaluation.benchmark, prepare_market(feed.bars, config), ranges.test)
    except ConfigFault as fault:
        raise JobRefused(fault.first) from fault
    write_note(job, feed, build_features(feed.bars, plan))
    judge.judge_and_write(job, judged_as(config), feed, ranges.test, several_seeds(job), config.features)


def judged_as(config: TrainConfig) -> TrainConfig:
    """Without a waterfall, which is of one book: each seed's own run keeps its own."""
    return config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"waterfall": False})})


def train_here(job: Job, config: TrainConfig, train: Train) -> None:
    """Each seed in a run directory of its own below this one, and the list of their policies. Raises JobRefused."""
    job.events.enter("train")
    name = layout.BEST_POLICY if config.evaluation.policy == "best" else layout.LAST_POLICY
    files: dict[int, str] = {}
    for done, seed in enumerate(config.training.seeds):
        job.events.progress(done, len(config.training.seeds))
        folder = job.folder / layout.seed_folder(seed)
        folder.mkdir(parents=True, exist_ok=True)
        content = {"schema_version": layout.SCHEMA_VERSION, **canonical(config.of_seed(seed))}
        atomic.write_text(folder / layout.CONFIG, yamlio.dump(content))
        job.log(f"seed {seed}: trained in {layout.seed_folder(seed)}")
        _require(run_job(train, [str(folder), "--datasets", str(job.datasets)]), seed)
        written = {item["key"]: item["sha256"] for item in manifest.read(folder)}
        atomic.write_bytes(job.folder / layout.seed_policy(seed), (folder / name).read_bytes())
        files[seed] = written["best_model" if name == layout.BEST_POLICY else "model"]
    seed_list.write(job.folder, files)


def _require(code: int, seed: int) -> None:
    if code == outcome.CODE_CANCELLED:
        raise JobCancelled
    if code != outcome.CODE_OK:
        raise JobRefused(f"Seed {seed} did not end well; the sentence before this one says why.")
