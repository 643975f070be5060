"""What a curve does not tell is absent with a reason, never 0; and what cannot be checked is never called shown."""

import csv
import json
import re

from backtest.imported import ABSENT
from tests.backtest.foreign.conftest import Import, Pair


def test_no_file_of_what_is_not_known(pair: Pair) -> None:
    there = {path.name for path in (pair.imported / "report").iterdir()}
    assert there == {
        "baselines", "drawdowns.csv", "equity.csv", "intervals.csv", "leaks.json", "metrics.csv", "metrics.json",
        "periods.csv", "report.html", "rolling.csv", "summary.json",
    }  # fmt: skip
    with (pair.imported / "report/equity.csv").open() as stream:
        row = next(csv.DictReader(stream))
    assert row["equity"] and [row[key] for key in ("cash", "gross", "net", "financing", "costs")] == [""] * 5


def test_each_reason_is_told_once_in_the_summary_and_on_the_page(pair: Pair) -> None:
    _, imported = pair.read("summary.json")
    assert {one["key"]: one["why"] for one in imported["absent"]} == dict(ABSENT)
    page = (pair.imported / "report/report.html").read_text()
    for one in imported["absent"]:
        assert f"<dt>{one['name']}</dt><dd>{one['why'].replace(chr(39), '&#39;')}</dd>" in page
    own, _ = pair.read("summary.json")
    assert "absent" not in own


def test_the_page_says_not_in_the_file_where_a_strategy_has_a_figure(pair: Pair) -> None:
    page = (pair.imported / "report/report.html").read_text()
    for label in ("Turnover", "Costs", "Trades", "Orders", "Hit rate", "Exposure"):
        cell = re.search(rf'<th scope="row" class="named">{label}<.*?<td class="n subject"[^>]*>(.*?)</td>', page, re.S)
        assert cell and cell[1] == "not in the file", label
    for title in ("At other costs", "With more money", "In crises", "Long and short", "By symbol"):
        assert f"<h2>{title}" not in page
    assert "after costs" in page and "Nothing was held" not in page and "learned from nothing" not in page


def test_the_stamps_say_what_was_not_verified(pair: Pair) -> None:
    _, imported = pair.read("summary.json")
    first = imported["stamps"][0]
    for word in ("costs", "fills", "looked ahead", "left out", "not verified"):
        assert word in first
    gate = json.loads((pair.imported / "report/leaks.json").read_text())
    assert gate["state"] == "incomplete" and gate["reruns"] == 0 and gate["sentence"] == ABSENT["leaks"]
    assert {check["state"] for check in gate["checks"]} == {"not_examined"}
    assert ABSENT["leaks"] in imported["verdict"]["sentence"]


def test_a_curve_that_passes_every_test_of_chance_is_not_shown(importing: Import, days: list[str]) -> None:
    """It knew the future of its dataset; nothing but the missing gate stands in the way of the word."""
    from backtest.foreign import run

    content = "day,nav\n" + "".join(f"{day},{100 * 1.01**k + k % 2}\n" for k, day in enumerate(days))
    job = importing(content)
    run.run(job)
    verdict = json.loads((job.folder / "report/summary.json").read_text())["verdict"]
    assert verdict["low"] > 1 and verdict["code"] == "not_shown"
    assert "It passed every test of chance" in verdict["sentence"] and "nothing is called shown" in verdict["sentence"]
