"""What a person may keep in the store: so many datasets, so many bytes, told with the numbers; deleting makes room."""

from typing import Any

from django.test import Client

from runs_app.models import Dataset, Upload
from tests.runs_app.api.conftest import API
from tests.runs_app.datasets.conftest import commit, named, send
from tests.runs_app.datasets.made import prices

MORE = {"name": "more"}


def kept(person: Client, **told: Any) -> dict[str, Any]:
    answer = commit(person, send(person, named("a.csv", prices())).json(), **told)
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def quota(person: Client) -> dict[str, int]:
    found: dict[str, int] = person.get(f"{API}/datasets").json()["quota"]
    return found


def test_the_list_says_what_is_held_and_allowed(alice: Client, bob: Client, settings: Any) -> None:
    settings.DATASETS_PER_USER, settings.DATASET_BYTES_PER_USER = 7, 10**9
    assert quota(alice) == {"datasets": 0, "datasets_allowed": 7, "bytes": 0, "bytes_allowed": 10**9}
    found = kept(alice)
    folder = settings.DATASETS_ROOT / found["version"]
    content = sum((folder / name).stat().st_size for name in ("bars.parquet", "sessions.npy"))
    assert quota(alice) == {"datasets": 1, "datasets_allowed": 7, "bytes": content, "bytes_allowed": 10**9}
    assert quota(bob)["datasets"] == quota(bob)["bytes"] == 0


def test_one_dataset_too_many_is_refused_before_it_is_read(alice: Client, bob: Client, settings: Any) -> None:
    settings.DATASETS_PER_USER = 1
    waiting = send(alice, named("b.csv", prices())).json()
    kept(alice)
    refused = send(alice, named("c.csv", prices()))
    assert refused.status_code == 400
    assert refused.json()["errors"]["file"] == [
        "You have 1 datasets (each version counts), this would be one more, and 1 are allowed; "
        "delete what you no longer need."
    ]
    assert commit(alice, waiting, **MORE).status_code == 400
    assert Dataset.objects.filter(owner__isnull=False).count() == 1
    assert Upload.objects.count() == 1  # the one that waits is still there
    kept(bob)


def test_bytes_that_do_not_fit_leave_nothing(alice: Client, settings: Any) -> None:
    found = kept(alice)
    used = quota(alice)["bytes"]
    settings.DATASET_BYTES_PER_USER = used + 1
    stored = {path.name for path in settings.DATASETS_ROOT.iterdir()}
    other = send(alice, named("b.csv", prices("ABC", level=50.0))).json()
    refused = commit(alice, other, **MORE)
    assert refused.status_code == 400
    assert f"hold {used:,} bytes of the store" in refused.json()["errors"]["name"][0]
    assert f"{used + 1:,} are allowed" in refused.json()["errors"]["name"][0]
    assert {path.name for path in settings.DATASETS_ROOT.iterdir()} == stored
    assert alice.delete(found["url"]).status_code == 204
    settings.DATASET_BYTES_PER_USER = 10 * used
    assert commit(alice, other, **MORE).status_code == 201


def test_a_fetch_is_refused_where_nothing_more_fits(alice: Client, settings: Any) -> None:
    settings.DATASETS_PER_USER = 1
    kept(alice)
    asked = {"id": "yahoo/ko", "symbols": ["KO"], "start": "2020-01-02"}
    answer = alice.post(f"{API}/data", asked, content_type="application/json")
    assert answer.status_code == 400 and "1 are allowed" in str(answer.json()["errors"])
