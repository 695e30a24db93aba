"""Weeks scored again in memory say what scoring them has written."""

from datetime import timedelta

import numpy as np
import pytest

from cs_pipeline.health.selection import selection_of
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.steadiness import NO_BAND, Escalation, Steadiness
from cs_pipeline.history.in_memory_scoring import InMemoryScorer, load_weeks
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import add_account_week, rows, week
from tests.builders.scored_accounts import WEEKLY_POINTS

WEEKS = 12
STEADY = WEEKLY_POINTS.changed(
    steadiness=Steadiness(steadiness=5, dwell_weeks=2, confirm_weeks=2), escalation=Escalation(over_weeks=2)
)


def add_company(warehouse: Warehouse, accounts: int = 12) -> None:
    """Accounts that come and go, whose use and tickets change at random; no events at all in the 8th week."""
    random = np.random.default_rng(3)
    for number in range(WEEKS):
        for account in range(accounts):
            if random.random() < 0.9:
                add_account_week(
                    warehouse,
                    f"a{account:02}",
                    number,
                    is_known=random.random() < 0.9,
                    seat_utilisation=float(random.random()),
                    core_features_used=float(random.integers(0, 4)),
                    events_7d=0.0 if number == 7 else 5.0,
                )


@pytest.mark.requirement("S5-10")
@pytest.mark.parametrize("model", [WEEKLY_POINTS, STEADY], ids=["literal", "steady"])
def test_a_replay_says_what_scoring_writes(marts: Warehouse, model: ScoreModel) -> None:
    add_company(marts)
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.score_overrides (account_id, score, reason, set_by, set_at, from_week, until_week)
            select distinct account_id, 5, 'they told us', 'ada', now(), %s::date, %s::date
            from marts.fct_account_weeks
            """,
            (week(8), week(9)),
        )
    score_weeks(marts, selection_of(model), [week(number) for number in range(WEEKS)], Scope())
    written = {
        (day, account): (score, band, severity)
        for day, account, score, band, severity in rows(
            marts, "select week, account_id, score, band, severity from cs.health_scores where score is not null"
        )
    }
    scorer, said = InMemoryScorer(model), {}
    for loaded in load_weeks(marts, [model], week(0), week(WEEKS - 1)):
        now = scorer.advance(loaded)
        for account, position in zip(loaded.frame["account_id"], loaded.positions, strict=True):
            if now.band[position] != NO_BAND:
                named = model.bands[now.band[position]].band
                said[loaded.week, account] = (now.score[position], named, now.severity[position])
        assert (now.band != NO_BAND).sum() == sum(day == loaded.week for day, _ in said)
    assert said == written
    assert len(said) > WEEKS


def test_weeks_without_rows_are_there_and_empty(marts: Warehouse) -> None:
    add_account_week(marts, "acme", 0)
    found = list(load_weeks(marts, [WEEKLY_POINTS], week(0), week(2)))
    assert [len(each.frame) for each in found] == [1, 0, 0]
    assert found[-1].week - found[0].week == timedelta(weeks=2)
