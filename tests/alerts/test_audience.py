"""A rule may be about some accounts only; they are asked for when something of theirs is new."""

import pandas as pd
import pytest

from cs_pipeline.alerts.evaluate import evaluate_rules
from cs_pipeline.plays.facts import query
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.alert_rules import DAY, START, Watched, rule
from tests.builders.company import Company


def test_only_the_audience_is_told_of_and_only_new_rows_are_asked(
    warehouse: Warehouse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = Company(warehouse)
    for account, tier in (("acme", "pro"), ("brill", "starter"), ("cobalt", "pro")):
        company.account(account, tier=tier)
    watched = Watched(warehouse, settings, rule(audience="tier == 'pro'"))
    watched.now = START
    asked: list[list[str]] = []
    read = query.read

    def reading(session, cases: pd.DataFrame, as_of):
        asked.append(cases["account_id"].tolist())
        return read(session, cases, as_of)

    monkeypatch.setattr(query, "read", reading)
    watched.begin()
    first = watched.tick("acme", "brill", "nobody_knows")
    assert (first.found, first.out_of_audience, watched.told(first.told.new)) == (3, 2, ["acme"])
    second = watched.tick("acme", "cobalt")
    assert (second.out_of_audience, watched.told(second.told.new)) == (0, ["cobalt"])
    assert asked == [["acme", "brill", "nobody_knows"], ["cobalt"]]
    company.run("update marts.dim_accounts set tier = 'starter'")
    assert [each.resolved for each in evaluate_rules(warehouse, watched.rules, settings, watched.now + DAY)] == [0]
