"""Scorecards of live history: what was told, what people did, which version, and the month they are kept under."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from cs_pipeline.alerts.evaluate import evaluate_rules
from cs_pipeline.alerts.live_scorecards import keep_scorecards, live_scorecards
from cs_pipeline.alerts.outcomes import read_book
from cs_pipeline.alerts.replay import replay
from cs_pipeline.alerts.scorecard import scorecards
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.alert_histories import AlertHistory, day, lasting
from tests.builders.marts import insert

CHURN = {"event": "churn", "within_days": 8, "lead_days": 2}
UNTIL = date(2025, 6, 2)


@pytest.fixture
def history(marts: Warehouse) -> AlertHistory:
    """Thirty accounts that the rule fires for on day 2; ten of them leave on day 10, and marts that know of it."""
    history = AlertHistory(marts, [lasting("idle", outcome=CHURN)])
    history.run(
        "alter table marts.dim_accounts "
        "add created_at timestamptz, add manager_email text, add executive_email text, add timezone text"
    )
    history.run("create table staging.stg_onboarding_progress (account_id text, step text, completed_at timestamptz)")
    insert(marts, "fct_account_weeks", [{"account_id": "nobody", "week": UNTIL - timedelta(weeks=1)}])
    for number in range(60):
        left = day(10) if number < 10 else None
        history.account(f"a{number}")
        insert(marts, "dim_accounts", [{"account_id": f"a{number}", "created_at": day(-100), "churned_at": left}])
        if number < 30:
            history.holds(f"a{number}", 2, 5)
    return history


def test_live_history_and_a_replay_of_it_have_the_same_scorecard(history: AlertHistory, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    for number in range(14):
        evaluate_rules(history.warehouse, history.rules, settings, day(number))
    (live,) = live_scorecards(history.warehouse, history.rules)
    found = replay(history.warehouse, settings, history.rules, day(0), day(13))
    (replayed,) = scorecards(found.fired, found.watched(), read_book(history.warehouse))
    assert (live.fired, live.counted, live.followed, live.verdict) == (30, 30, 10, "keep")
    assert live.median_lead_days == 8
    told_only = ("hours_to_acknowledge", "put_off", "touched")
    assert {name: value for name, value in vars(live).items() if name not in told_only} == {
        name: value for name, value in vars(replayed).items() if name not in told_only
    }
    assert [getattr(replayed, name) for name in told_only] == [None, None, None]


def test_what_people_did_is_in_the_scorecard_and_kept_by_month(history: AlertHistory, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    for number in range(4):
        evaluate_rules(history.warehouse, history.rules, settings, day(number))
    history.run("update cs.alerts set acknowledged_at = fired_at + interval '3 hours' where account_id in ('a0', 'a1')")
    history.run("update cs.alerts set snooze_reason = 'later' where account_id = 'a2'")
    history.run(
        "insert into cs.alert_silences (account_id, until, reason, set_by, set_at) values ('a3', %s, 'r', 'me', %s)",
        day(9), day(0),
    )  # fmt: skip
    history.insert("staging.stg_touchpoints", [("a4", day(3)), ("a4", day(4)), ("a5", day(9.5)), ("a6", day(1))])
    (card,) = live_scorecards(history.warehouse, history.rules)
    assert card.hours_to_acknowledge == pytest.approx(3)
    assert card.put_off == pytest.approx(2 / 30)
    assert card.touched == pytest.approx(1 / 30)
    now = datetime(2025, 6, 3, tzinfo=UTC)
    assert keep_scorecards(history.warehouse, [card], now) == 1
    keep_scorecards(history.warehouse, [card], now + timedelta(days=2))
    keep_scorecards(history.warehouse, [card], now + timedelta(days=30))
    kept = history.run(
        "select month, rule, fired, counted, followed, lift > 1, verdict from cs.alert_scorecards order by 1"
    )
    assert kept == [(date(2025, month, 1), "idle", 30, 30, 10, True, "keep") for month in (6, 7)]


def test_a_changed_rule_begins_a_scorecard_of_its_own(history: AlertHistory, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    for number in range(6):
        evaluate_rules(history.warehouse, history.rules, settings, day(number))
    changed = {"idle": lasting("idle", outcome=CHURN, **{"for": "1 day"})}
    evaluate_rules(history.warehouse, changed, settings, day(6))
    (card,) = live_scorecards(history.warehouse, changed)
    assert (card.first, card.fired, card.verdict) == (day(6).date(), 0, "too few to tell")


def test_rules_that_were_never_evaluated_have_no_scorecard(history: AlertHistory) -> None:
    assert live_scorecards(history.warehouse, history.rules) == []
    assert keep_scorecards(history.warehouse, [], day(0)) == 0
