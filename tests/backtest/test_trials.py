"""Goals of steps are held against what was reached, and variants of steps against each other."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cs_pipeline.backtest.trials import trials, with_goals
from cs_pipeline.backtest.uplift import decided_accounts, uplifts
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.enrolment.holdout import held_out
from cs_pipeline.plays.playbooks.trials import variant_of
from cs_pipeline.reports.backtest.effects import trial_table
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY, WEEK, Company, save_play

ACCOUNTS = 400
GUIDE = {
    "step": "guide",
    "day": 0,
    "channel": "email",
    "to": "point_of_contact",
    "template": "yellow_quick_guide",
    "intent": "educate",
    "goal": "core_features_used >= 3 within 14 days",
    "variants": [{"variant": "short", "template": "yellow_one_recommendation"}],
}
PLAY = save_play(hold_out=0.2, steps=[GUIDE])
LIBRARY = {PLAY.playbook: PLAY}


@pytest.fixture
def company(warehouse: Warehouse) -> Company:
    """Every account was decided on; those that got the short guide use three core features two weeks later."""
    company = Company(warehouse)
    columns = ", ".join(f"add column if not exists {name} double precision" for name in METRICS)
    company.run(f"alter table marts.fct_account_weeks {columns}")
    names = company.accounts(ACCOUNTS)
    enrol(warehouse, PLAY, [company.fall(account) for account in names], Settings(breaker_share=1), MONDAY)
    is_out = held_out(PLAY, pd.Series(names))
    got_short = [variant_of("yellow", "guide", PLAY.steps[0].variants, account) is not None for account in names]
    for weeks, uses in ((1, 2), (2, 3), (3, 3)):  # the third week ends too late for a goal of 14 days
        reached = np.where(np.array(got_short) & ~np.array(is_out), uses, 3 if weeks == 3 else 1)
        company.run(
            "insert into marts.fct_account_weeks (account_id, week, core_features_used) "
            "select account_id, %s, uses from unnest(%s::text[], %s::float8[]) as given (account_id, uses)",
            WEEK + timedelta(weeks=weeks),
            names,
            reached.tolist(),
        )
    return company


def test_a_goal_is_one_more_measure_of_the_hold_out(company: Company) -> None:
    now = MONDAY + timedelta(days=15)
    accounts, goals = with_goals(company.warehouse, decided_accounts(company.warehouse, None, now), LIBRARY, now)
    (measure,) = goals["yellow"]
    assert measure.name == "guide: core_features_used >= 3 within 14 days"
    effect = next(each for each in uplifts(accounts, goals) if each.measure == measure)
    assert effect.mean_held_out == 0
    assert 0.35 < (effect.mean_enrolled or 0) < 0.65, "about half of the enrolled drew the short guide"
    assert effect.verdict == "helps"


def test_a_goal_is_not_known_before_its_days_are_over(company: Company) -> None:
    now = MONDAY + timedelta(days=13)
    accounts, _ = with_goals(company.warehouse, decided_accounts(company.warehouse, None, now), LIBRARY, now)
    assert accounts["goal of guide"].isna().all()


def test_the_variant_that_reaches_the_goal_is_found_and_held_out_accounts_do_not_count(company: Company) -> None:
    now = MONDAY + timedelta(days=15)
    accounts, goals = with_goals(company.warehouse, decided_accounts(company.warehouse, None, now), LIBRARY, now)
    found = trials(company.warehouse, accounts, goals, LIBRARY)
    by_goal = next(each for each in found if each.effect.measure.column == "goal of guide")
    assert (by_goal.step, by_goal.variant, by_goal.effect.verdict) == ("guide", "short", "helps")
    assert (by_goal.effect.mean_enrolled, by_goal.effect.mean_held_out) == (1, 0)
    assert by_goal.effect.enrolled + by_goal.effect.held_out == (~accounts["is_held_out"].astype(bool)).sum()
    shown = trial_table(found)
    assert list(shown["variant"].unique()) == ["short"]
    by_departure = shown[shown["measure"] == "left within 90 days"].iloc[0]
    assert by_departure["verdict"] == "too small to tell", "nobody's 90 days are over"


def test_accounts_that_entered_before_the_variants_were_there_are_left_out(company: Company) -> None:
    other = save_play(hold_out=0.2, steps=[{**GUIDE, "variants": [{**GUIDE["variants"][0], "weight": 3}]}])  # pyright: ignore
    now = MONDAY + timedelta(days=15)
    accounts, goals = with_goals(
        company.warehouse, decided_accounts(company.warehouse, None, now), {"yellow": other}, now
    )
    found = trials(company.warehouse, accounts, goals, {"yellow": other})
    assert {each.effect.enrolled + each.effect.held_out for each in found} <= {0}
