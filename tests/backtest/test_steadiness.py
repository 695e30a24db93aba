"""What steadiness saves and costs, on companies whose scores a test has drawn."""

from datetime import date, timedelta

import numpy as np
import pytest

from cs_pipeline.backtest.steadiness import LITERAL, OWN, Outcome, SteadinessReport, steadiness_report
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.steadiness import Steadiness
from cs_pipeline.history.in_memory_scoring import load_weeks
from cs_pipeline.reports.backtest.text import steadiness_verdict
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import insert, week
from tests.builders.observed_marts import WEEKS, add_company
from tests.builders.scored_accounts import HEALTHY, WEEKLY_POINTS

RED = {"seat_utilisation": 0.0, "core_features_used": 0.0, "logged_in_7d": 0.0, "opened_last_3_emails": 0.0}


def add_account(warehouse: Warehouse, account: str, bands: str, leaves_on: date | None = None) -> None:
    """An account that is Green or Red in each week, as the letters of `bands` say."""
    insert(warehouse, "dim_accounts", [{"account_id": account, "churned_at": leaves_on}])
    rows = [
        {"account_id": account, "week": week(number)} | HEALTHY | (RED if band == "R" else {})
        for number, band in enumerate(bands)
    ]
    insert(warehouse, "fct_account_weeks", rows)


def report(warehouse: Warehouse, weeks: int, model: ScoreModel = WEEKLY_POINTS) -> SteadinessReport:
    return steadiness_report(warehouse, model, week(0), week(weeks - 1))


def outcome(found: SteadinessReport, setting: str) -> Outcome:
    return next(each for each in found.outcomes if each.setting == setting)


def test_a_flicker_is_saved_and_a_departure_is_warned_of_later(marts: Warehouse) -> None:
    add_account(marts, "flickers", "GGRGGRGGGG")
    add_account(marts, "leaves", "GGGGRRRR", leaves_on=week(8) + timedelta(days=2))
    add_account(marts, "leaves-at-once", "GGGGGGGR", leaves_on=week(8))
    found = report(marts, 8)
    assert found.departures == 2
    assert outcome(found, LITERAL) == Outcome(LITERAL, 4, 0, 2, 2, 0, 0.0, 0, 0)
    assert outcome(found, "confirm 2 weeks") == Outcome("confirm 2 weeks", 1, 3, 0, 1, 1, 1.0, 0, 1)
    assert "Too little data" in steadiness_verdict(found)


def test_what_happens_after_a_departure_warns_nobody(marts: Warehouse) -> None:
    add_account(marts, "leaves", "GGGRR", leaves_on=week(3) + timedelta(days=1))
    found = report(marts, 5)
    assert found.departures == 1
    assert outcome(found, LITERAL).warned == 0


def test_a_departure_outside_the_weeks_is_not_counted(marts: Warehouse) -> None:
    add_account(marts, "leaves", "GGGRRRRR", leaves_on=week(8))
    add_account(marts, "stays", "GGGGGGGGGG")
    assert report(marts, 7).departures == 0
    assert report(marts, 8).departures == 1


def test_the_literal_setting_counts_the_rises_of_plain_scores(marts: Warehouse) -> None:
    add_company(marts)
    arithmetic = Arithmetic(WEEKLY_POINTS)
    severities = np.array([*(band.severity for band in WEEKLY_POINTS.bands), -1])
    rises = falls = 0
    before: dict[str, int] = {}
    for loaded in load_weeks(marts, [WEEKLY_POINTS], week(0), week(WEEKS - 1)):
        found = severities[arithmetic.score(loaded.frame).band]
        now = dict(zip(loaded.frame["account_id"], found.tolist(), strict=True))
        rises += sum(now[account] > before[account] for account in now if account in before)
        falls += sum(now[account] < before[account] for account in now if account in before)
        before = now
    literal = outcome(report(marts, WEEKS), LITERAL)
    assert (literal.triggers, literal.recoveries) == (rises, falls)
    assert rises > 0


def test_every_setting_is_told_apart_from_the_literal_one(marts: Warehouse) -> None:
    add_company(marts)
    found = report(marts, WEEKS, WEEKLY_POINTS.changed(steadiness=Steadiness(steadiness=30, confirm_weeks=26)))
    literal, own = outcome(found, LITERAL), outcome(found, OWN)
    assert own.triggers == 0
    assert own.saved == literal.triggers
    assert all(each.saved == literal.triggers - each.triggers for each in found.outcomes)
    assert all(each.warned + each.lost >= literal.warned for each in found.outcomes)
    assert f"of {literal.triggers:,} triggers" in steadiness_verdict(found)
    assert own.setting not in steadiness_verdict(found)  # it loses warnings


def test_a_stay_at_risk_in_the_middle_of_silence_is_not_a_trigger_again(marts: Warehouse) -> None:
    add_account(marts, "acme", "GR")
    insert(marts, "fct_account_weeks", [{"account_id": "acme", "week": week(4)} | HEALTHY | RED])
    assert outcome(report(marts, 5), LITERAL).triggers == 1


@pytest.mark.parametrize(("silent", "triggers"), [(3, 1), (4, 0)])
def test_a_score_is_compared_with_one_of_the_four_weeks_before(marts: Warehouse, silent: int, triggers: int) -> None:
    add_account(marts, "acme", "G")
    insert(marts, "fct_account_weeks", [{"account_id": "acme", "week": week(silent + 1)} | HEALTHY | RED])
    assert outcome(report(marts, silent + 2), LITERAL).triggers == triggers


def test_what_is_at_risk_is_up_to_the_model(marts: Warehouse) -> None:
    add_account(marts, "leaves", "GGRR", leaves_on=week(4))
    add_account(marts, "stays", "GGGGG")
    found = report(marts, 4, WEEKLY_POINTS.changed(bands=(WEEKLY_POINTS.bands[0].model_copy(update={"from_": 0.0}),)))
    assert (found.departures, outcome(found, LITERAL).warned) == (1, 0)
    assert outcome(report(marts, 4), LITERAL).warned == 1


@pytest.mark.parametrize("calendar", [True, False])
def test_leaving_out_the_calendar_is_tried_where_there_is_one(marts: Warehouse, *, calendar: bool) -> None:
    add_account(marts, "acme", "GG")
    document = WEEKLY_POINTS.model_dump(by_alias=True)
    if not calendar:
        for dimension in document["dimensions"]:
            for metric in dimension["metrics"]:
                metric["calendar"] = "never"
    found = report(marts, 2, ScoreModel.model_validate(document))
    assert ("calendar left out" in {each.setting for each in found.outcomes}) is calendar
