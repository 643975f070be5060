"""Several trainings whose policies are judged as one subject: of several seeds, or of a walk-forward's folds and seeds.

The server makes each training a run of its own and puts its policy here before this job starts (`members.json` and what
it names). By hand nobody did: then each is trained here, one after the other, in a run directory of its own below
`members/`. Started again by hand, the job judges what it trained the first time, as long as the configuration is still
the one under which it did (rl.asked_for).
"""

from collections.abc import Callable

from backtest import judge
from backtest.feed import Feed, load_feed, write_note
from backtest.holding import require_benchmark
from backtest.strategy import Strategy
from backtest.together import as_one, opened
from marketdata.config_base import ConfigFault, canonical
from marketdata.features import build_features, plan_of
from marketdata.splits import Range
from marketdata.walk_forward import fold_starts, tested
from rl.asked_for import require_listed, require_trained_so
from rl.config import TrainConfig
from runfiles import atomic, layout, manifest, outcome, yamlio
from runfiles.job import Job, JobCancelled, JobRefused, PartFailed, run_part
from runfiles.policy_list import Listed, PolicyList, Start, member_name
from simulator.market import prepare_market

Train = Callable[[Job], None]


def judge_together(job: Job, config: TrainConfig, train: Train) -> None:
    """The job of several trainings; `train` is that of one. Raises JobRefused with one sentence."""
    there = (job.folder / layout.MEMBERS_LIST).is_file()
    if there:
        job.log(f"the policies of {len(config.members)} trainings lie here already: they are judged, none is trained")
    trained = () if there else train_here(job, config, train)
    feed = load_feed(job, config.dataset)
    try:
        span, starts = _data(job, config, feed)
    except ConfigFault as fault:
        raise JobRefused(fault.first) from fault
    if not there:
        PolicyList(trained, starts).write(job.folder)
    judge.judge_and_write(job, judged_as(config), feed, span, _subject(job, config, starts), config.features)


def _subject(job: Job, config: TrainConfig, starts: tuple[Start, ...]) -> Strategy:
    """The policies of the run directory as one. Raises JobRefused where the configuration asks for others."""
    try:
        listed = PolicyList.read(job.folder)
        require_listed(listed, config, starts)
        policies = opened(job.folder, listed)
        require_trained_so(job.folder, policies, config)
        return as_one(listed, policies)
    except JobRefused:
        raise
    except ValueError as fault:
        raise JobRefused(f"{str(fault).rstrip('.')}.") from fault


def _data(job: Job, config: TrainConfig, feed: Feed) -> tuple[Range, tuple[Start, ...]]:
    """What is judged, and where folds begin; `dataset.json` is written. Raises ConfigFault."""
    plan, session = plan_of(config.features, feed.bars), feed.bars.session
    needed = {"lookback": config.features.lookback, "warmup": plan.warmup}
    span = tested(config.split, session, **needed)
    require_benchmark(config.evaluation.benchmark, prepare_market(feed.bars, config), span)
    write_note(job, feed, build_features(feed.bars, plan))
    return span, fold_starts(config.split, session, **needed)


def judged_as(config: TrainConfig) -> TrainConfig:
    """Of several seeds without a waterfall, which is of one book: each training's own run keeps its own."""
    if len(config.training.seeds) == 1:
        return config
    return config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"waterfall": False})})


def train_here(job: Job, config: TrainConfig, train: Train) -> tuple[Listed, ...]:
    """Each in a run directory of its own below this one; their policies, copied beside them. Raises JobRefused."""
    job.events.enter("train")
    name = layout.BEST_POLICY if config.evaluation.policy == "best" else layout.LAST_POLICY
    found = []
    for done, (fold, seed) in enumerate(config.members):
        job.events.progress(done, len(config.members))
        where = layout.member_folder(seed, fold)
        folder = job.folder / where
        folder.mkdir(parents=True, exist_ok=True)
        content = {"schema_version": layout.SCHEMA_VERSION, **canonical(config.of_member(fold, seed))}
        atomic.write_text(folder / layout.CONFIG, yamlio.dump(content))
        job.log(f"{member_name(seed, fold)}: trained in {where}")
        end = run_part(train, [str(folder), "--datasets", str(job.datasets)])
        if end.code == outcome.CODE_CANCELLED:
            raise JobCancelled
        if end.code != outcome.CODE_OK:
            raise PartFailed(member_name(seed, fold), end)
        written = {item["key"]: item["sha256"] for item in manifest.read(folder)}
        atomic.write_bytes(job.folder / layout.member_policy(seed, fold), (folder / name).read_bytes())
        found.append(Listed(fold, seed, written["best_model" if name == layout.BEST_POLICY else "model"]))
    return tuple(found)
