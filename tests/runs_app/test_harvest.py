"""What a training leaves: headline figures on the row, artifacts with their hashes, the policy kept apart."""

import hashlib
import json

from runfiles import layout
from runs_app import places
from runs_app.models import Policy, Run
from tests.runs_app.yard import Yard


def _trained(yard: Yard) -> Run:
    return yard.step_until(yard.add("--report", kind="train"), "SUCCEEDED")


def test_headline_figures_and_verdict_are_on_the_row(yard: Yard) -> None:
    run = _trained(yard)
    assert run.metrics == {"total_return": 0.1, "sharpe": 1.5, "sortino": None}
    assert run.verdict["sentence"] == "Not shown."
    assert run.baselines == {"equal": {"total_return": 0.05}}


def test_artifacts_have_the_hashes_of_their_files(yard: Yard) -> None:
    run = _trained(yard)
    folder = places.run_folder(run.id)
    found = {artifact.key: artifact for artifact in run.artifacts.all()}
    assert set(found) == {"config", "job_log", "best_model", "model", "summary", "equal.summary", "manifest"}
    for artifact in found.values():
        spec = layout.spec_for(artifact.key)
        assert spec is not None
        content = (folder / spec.path).read_bytes()
        assert (artifact.bytes, artifact.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_both_policies_are_kept_with_their_hashes(yard: Yard) -> None:
    run = _trained(yard)
    assert [policy.which for policy in Policy.objects.order_by("which")] == ["best", "last"]
    for policy, key in zip(Policy.objects.order_by("which"), ("best_model", "model"), strict=True):
        content = places.policy_file(policy).read_bytes()
        assert (policy.owner, policy.run, policy.bytes) == (run.owner, run, len(content))
        assert policy.sha256 == hashlib.sha256(content).hexdigest() == run.artifacts.get(key=key).sha256
    assert len({policy.sha256 for policy in Policy.objects.all()}) == 2


def test_a_training_without_its_policy_has_failed(yard: Yard) -> None:
    run = yard.step_until(yard.add(kind="train"), "FAILED")
    assert "without its best policy" in run.sentence
    assert not Policy.objects.exists()


def test_a_file_that_is_not_what_the_manifest_says(yard: Yard) -> None:
    run = yard.step_until(yard.add("--report", "--lie", kind="train"), "FAILED")
    assert "report/summary.json is not the file that the manifest names" in run.sentence
    assert not Policy.objects.exists()
    assert list(places.policy_path(run.id).parent.iterdir()) == []


def test_a_link_in_the_run_folder_is_no_artifact(yard: Yard) -> None:
    run = yard.add()
    secret = places.control_folder(run.id) / "secret"
    secret.write_text(json.dumps({"metrics": {"sharpe": 9.0}}))
    (places.run_folder(run.id) / "report").mkdir()
    (places.run_folder(run.id) / "report" / "summary.json").symlink_to(secret)
    yard.step_until(run, "SUCCEEDED")
    assert not run.artifacts.filter(key="summary").exists()
    assert run.metrics == {}
