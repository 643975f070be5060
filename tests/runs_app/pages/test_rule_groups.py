"""Rules of a report on the site keep their groups; a report of an earlier version has none."""

from runs_app.report_schema import summary

RULE = {"name": "Fee", "text": "1 bps", "definition": "Fee of a market order"}


def test_groups_are_kept_and_may_be_missing() -> None:
    found = summary({"rules": [{**RULE, "group": "Trading"}, RULE, {"name": "Fee"}, {**RULE, "group": 3}]})
    assert found["rules"] == [{**RULE, "group": "Trading"}, {**RULE, "group": ""}]
