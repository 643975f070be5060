"""The panel of the price chart on a report's page: what may be chosen, or why there is none."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from runs_app import places
from runs_app.models import Dataset, Run
from tests.runs_app.finished_run import finished_training
from tests.runs_app.pages.reading import Reading
from tests.runs_app.traded_run import traded_run, write


@pytest.fixture
def run(owner: Any, settings: Any) -> Run:
    """A run with a report whose tables are those on paper."""
    paper = traded_run(owner, Path(settings.DATASETS_ROOT))
    found = finished_training(owner, dataset_name=paper.dataset_name, dataset_version=paper.dataset_version)
    Run.objects.filter(pk=found.pk).update(config=paper.config)
    for name in ("orders", "weights", "symbols"):
        shutil.copyfile(*(places.run_folder(one.id) / f"report/{name}.csv" for one in (paper, found)))
    return found


def panel(person: Client, run: Run) -> tuple[Reading, dict[str, str | None]]:
    reading = Reading(person.get(reverse("runs:report", args=[run.id])).content.decode())
    return reading, next(found for tag, found in reading.tags if found.get("id") == "run-prices")


def test_symbols_in_the_runs_order_and_the_one_that_moved_the_most(person: Client, run: Run) -> None:
    reading, found = panel(person, run)
    assert (reading.fields["symbol"].options, found["data-url"]) == (["", ""], f"/api/stockbot/runs/{run.id}/prices")
    chosen = [name for tag, name in reading.tags if tag == "option" and "selected" in name]
    assert len(chosen) == 1 and any(name.get("data-look") == "candles" for _, name in reading.tags)
    write(run, "symbols", ["symbol,pnl_gross", "A,1.0", "B,-2.0", "cash,9.0"])
    text = person.get(reverse("runs:report", args=[run.id])).content.decode()
    assert "<option>A</option><option selected>B</option>" in text


def test_a_run_whose_prices_are_gone_says_so_and_keeps_the_rest(person: Client, run: Run) -> None:
    Dataset.objects.filter(name=run.dataset_name).delete()
    reading, found = panel(person, run)
    assert "data-url" not in found and not reading.fields["symbol"].options
    assert "are not stored any more; its orders and trades are in its tables." in reading.text
    assert "Trades" in reading.text and not any("run_prices.js" in (name.get("src") or "") for _, name in reading.tags)


@pytest.mark.parametrize("name", ["orders", "weights"])
def test_a_run_without_the_table_says_so(person: Client, run: Run, name: str) -> None:
    (places.run_folder(run.id) / f"report/{name}.csv").unlink()
    assert f"This run left no {name}.csv, which the chart is drawn from." in panel(person, run)[0].text


@pytest.mark.parametrize(
    "text", ["", "symbol\nA\n", "symbol,pnl_gross\nA,much\n", "a,b\n1,2\n", "pnl_gross\n1\n", "symbol,pnl_gross\nZ,9\n"]
)
def test_the_first_symbol_where_profits_are_not_known(person: Client, run: Run, text: str) -> None:
    (places.run_folder(run.id) / "report/symbols.csv").write_text(text)
    content = person.get(reverse("runs:report", args=[run.id])).content.decode()
    assert "<option selected>A</option><option>B</option>" in content
