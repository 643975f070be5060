"""Names of every file in a run directory, and the fixed table by which files are served.

A client names a *key* and never a path: `spec_for(key)` is the only way from one to the other.
`docs/run-directory.md` lists this table; a test compares the two.
"""

import re
from dataclasses import dataclass

SCHEMA_VERSION = 1

CONFIG = "config.yaml"
COMMAND = "command.txt"
VERSIONS = "versions.json"
DATASET = "dataset.json"
JOB_LOG = "job.log"
EVENTS = "events.jsonl"
LAST_POLICY = "ppo_policy.zip"
BEST_POLICY = "best_policy.zip"
JUDGED_POLICY = "policy.zip"
MEMBERS = "members"
MEMBERS_LIST = "members.json"
RESULT = "imported_result.dat"
PROVENANCE = "provenance.json"
TENSORBOARD = "tb"
PROGRESS_CSV = "progress.csv"
REPORT = "report"
BASELINES = "baselines"
CHECKPOINT = "checkpoints/last.zip"
CHECKPOINT_BEFORE = "checkpoints/before.zip"
REPORT_HTML = "report.html"
LEAKS = "leaks"
CALIBRATION = "calibration"
MANIFEST = "manifest.json"

# of a training that goes on from another's checkpoint: what the service put there, never served
RESUMED = "resumed"
RESUME = f"{RESUMED}/resume.json"

# media/control/<uuid>/: never served, never bundled
LOCK = "lock"
START = "start.json"
CANCEL = "cancel"
EXIT = "exit.json"
EXIT_ROOM = "exit.room"

KIND_CONFIG, KIND_LOG, KIND_MODEL, KIND_TABLE, KIND_REPORT, KIND_META = (
    "config",
    "log",
    "model",
    "table",
    "report",
    "meta",
)

_BASELINE_KEY = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")


@dataclass(frozen=True)
class FileSpec:
    """One file that may be served: `path` is relative to the run directory, `key` is what a client says."""

    key: str
    path: str
    kind: str
    media_type: str
    title: str

    @property
    def filename(self) -> str:
        return self.path.rsplit("/", 1)[-1]


_JSON, _CSV, _TEXT, _ZIP = "application/json", "text/csv", "text/plain", "application/zip"

REPORT_FILES: dict[str, tuple[str, str, str]] = {
    "metrics": ("metrics.json", _JSON, "Metrics, full precision"),
    "metrics_csv": ("metrics.csv", _CSV, "Metrics as a table"),
    "equity": ("equity.csv", _CSV, "Equity, exposure and costs at each bar"),
    "orders": ("orders.csv", _CSV, "Every order with its costs"),
    "trades": ("trades.csv", _CSV, "Round trips, first in first out, open lots last"),
    "weights": ("weights.csv", _CSV, "Weight of each symbol at each close"),
    "symbols": ("symbols.csv", _CSV, "Profit and loss by symbol"),
    "sides": ("sides.csv", _CSV, "Profit and loss by long and short"),
    "costs": ("costs.csv", _CSV, "What was paid, by kind of cost"),
    "periods": ("periods.csv", _CSV, "Return of each month and year"),
    "drawdowns": ("drawdowns.csv", _CSV, "The deepest drawdowns"),
    "rolling": ("rolling.csv", _CSV, "Rolling Sharpe, volatility and beta"),
    "intervals": ("intervals.csv", _CSV, "Intervals of headline metrics from resampled bars"),
    "summary": ("summary.json", _JSON, "Range, metrics, verdict and stamps"),
}

WATERFALL = "waterfall.parquet"

_FIXED = (
    FileSpec("config", CONFIG, KIND_CONFIG, "application/yaml", "The resolved configuration"),
    FileSpec("command", COMMAND, KIND_CONFIG, _TEXT, "How the job was started"),
    FileSpec("versions", VERSIONS, KIND_META, _JSON, "Code, packages, machine"),
    FileSpec("provenance", PROVENANCE, KIND_META, _JSON, "What the dataset's owner says of it"),
    FileSpec("dataset", DATASET, KIND_META, _JSON, "What the run was fed, with the quality report"),
    FileSpec("job_log", JOB_LOG, KIND_LOG, _TEXT, "Standard output and error of the job"),
    FileSpec("events", EVENTS, KIND_LOG, "application/x-ndjson", "Phases, progress, metrics, warnings"),
    FileSpec("model", LAST_POLICY, KIND_MODEL, _ZIP, "The last policy"),
    FileSpec("best_model", BEST_POLICY, KIND_MODEL, _ZIP, "The policy that was best on validation"),
    FileSpec("judged_model", JUDGED_POLICY, KIND_MODEL, _ZIP, "The policy that this backtest judged"),
    FileSpec("judged_models", MEMBERS_LIST, KIND_META, _JSON, "The policies that are judged together"),
    FileSpec("checkpoint", CHECKPOINT, KIND_MODEL, _ZIP, "Where the training stood last"),
    FileSpec("checkpoint_before", CHECKPOINT_BEFORE, KIND_MODEL, _ZIP, "Where it stood at the checkpoint before"),
    FileSpec("imported_result", RESULT, KIND_TABLE, "application/octet-stream", "The result that was imported"),
    FileSpec("progress", PROGRESS_CSV, KIND_TABLE, _CSV, "Training scalars as a table"),
    FileSpec("report", f"{REPORT}/{REPORT_HTML}", KIND_REPORT, "text/html", "The report, one self-contained page"),
    FileSpec("seeds", f"{REPORT}/seeds.csv", KIND_TABLE, _CSV, "Every seed's excess and metrics"),
    FileSpec("seeds_equity", f"{REPORT}/seeds_equity.csv", KIND_TABLE, _CSV, "Equity of every seed and their band"),
    FileSpec(
        "sensitivity",
        f"{REPORT}/sensitivity.json",
        KIND_TABLE,
        _JSON,
        "Everything again at other costs, and with later decisions",
    ),
    FileSpec("stress", f"{REPORT}/stress.json", KIND_TABLE, _JSON, "Crises, each run as a book of its own"),
    FileSpec("capacity", f"{REPORT}/capacity.json", KIND_TABLE, _JSON, "Everything again with more money"),
    FileSpec(
        "waterfall",
        f"{REPORT}/{WATERFALL}",
        KIND_TABLE,
        "application/vnd.apache.parquet",
        "What each layer did to each decision of the subject",
    ),
    FileSpec(LEAKS, f"{REPORT}/leaks.json", KIND_REPORT, _JSON, "The leak gate: every check, and what it found"),
    FileSpec(
        CALIBRATION,
        f"{REPORT}/calibration.json",
        KIND_REPORT,
        _JSON,
        "Every world of a calibration, with power and false-discovery rate",
    ),
    FileSpec("manifest", MANIFEST, KIND_META, _JSON, "Every artifact with bytes and sha256"),
)

FILES: dict[str, FileSpec] = {spec.key: spec for spec in _FIXED} | {
    key: FileSpec(key, f"{REPORT}/{name}", KIND_TABLE, media, title)
    for key, (name, media, title) in REPORT_FILES.items()
}


def baseline_folder(baseline: str) -> str:
    """Path of a baseline's tables below the run directory. Raises ValueError for a key that is no key."""
    if not _BASELINE_KEY.match(baseline):
        raise ValueError(f"baseline key {baseline!r} must be lower-case letters, digits and underscores")
    return f"{REPORT}/{BASELINES}/{baseline}"


def member_folder(seed: int, fold: int | None = None) -> str:
    """Path of the run directory of one of several trainings that are made by hand, below the run directory of all: of
    one of several seeds, or of a seed in a fold of a walk-forward.
    """
    return f"{MEMBERS}/seed_{seed}" if fold is None else f"{MEMBERS}/fold_{fold}_seed_{seed}"


def member_policy(seed: int, fold: int | None = None) -> str:
    """Path of the policy of one of several trainings that are judged together, below the run directory."""
    return f"{member_folder(seed, fold)}.zip"


def spec_for(key: str) -> FileSpec | None:
    """The file that `key` stands for, or None. `equity` is the subject's, `equal.equity` the baseline's."""
    if key in FILES:
        return FILES[key]
    baseline, _, name = key.partition(".")
    if name in REPORT_FILES and _BASELINE_KEY.match(baseline):
        filename, media, title = REPORT_FILES[name]
        return FileSpec(key, f"{baseline_folder(baseline)}/{filename}", KIND_TABLE, media, f"{baseline}: {title}")
    return None


def spec_at(path: str) -> FileSpec | None:
    """The file of the table that lies at `path` below the run directory, or None."""
    found = _AT.get(path)
    if found is not None:
        return found
    folder, _, name = path.rpartition("/")
    baseline = folder.removeprefix(f"{REPORT}/{BASELINES}/")
    key = next((key for key, (filename, _, _) in REPORT_FILES.items() if filename == name), "")
    return spec_for(f"{baseline}.{key}") if key and folder != baseline else None


_AT = {spec.path: spec for spec in FILES.values()}
