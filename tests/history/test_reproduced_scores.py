"""Scores of account-weeks in the scratch schema: the same as the stored ones to the byte when the account-weeks are."""

from collections.abc import Iterator
from typing import Any

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.health.library import load_score_model
from cs_pipeline.health.selection import Rule, Selection, selection_of
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.steadiness import Escalation, Steadiness
from cs_pipeline.history.reproduced_scores import SCRATCH, SCRATCH_SCHEMA, Reproduction, score_and_compare
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.reports.scores.text import reproduction_verdict
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.citus import spread_marts
from tests.builders.marts import add_account, add_account_week, rows, week
from tests.builders.scored_accounts import WEEKLY_POINTS

SHIPPED = [load_score_model(name) for name in ("usage_engagement_business", "five_factor", "five_factor_capped")]
STEADY = WEEKLY_POINTS.changed(steadiness=Steadiness(confirm_weeks=2), escalation=Escalation())
WEEKS = [week(number) for number in range(8)]
REPLAYED = WEEKS[5:]


def counting(*models: ScoreModel) -> Selection:
    """Every model counts for accounts of a tier of its own name, the last one also for all others."""
    return Selection(
        (*(Rule(model=model.model, tier=model.model) for model in models), Rule(model=models[-1].model)), models
    )


def build_scratch(warehouse: Warehouse) -> None:
    """The weeks to replay, as they are stored."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            f"create schema {SCRATCH_SCHEMA}; create table {SCRATCH.account_weeks} as "
            "select * from marts.fct_account_weeks where week >= %s",
            [REPLAYED[0]],
        )
    spread_marts(warehouse)


def replay(warehouse: Warehouse) -> Reproduction:
    return score_and_compare(warehouse, REPLAYED[0], REPLAYED[-1], on_week=lambda *_: None)


def score_rows(warehouse: Warehouse, table: str) -> Iterator[object]:
    """All columns but the one that says whether a row counts."""
    told = f"select to_jsonb(t) - 'is_active' from {table} as t where week >= '{REPLAYED[0]}'"
    return iter(rows(warehouse, f"{told} order by week, account_id, model, model_version"))


@pytest.mark.parametrize("own", [WEEKLY_POINTS, STEADY], ids=["as shipped", "with a memory"])
def test_scores_of_all_shipped_models_come_out_to_the_byte(marts: Warehouse, own: ScoreModel) -> None:
    models = (*SHIPPED, own)
    for number in range(8):
        for model in models:
            values: dict[str, Any] = dict.fromkeys(model.metric_names, 0.37 * number)
            add_account_week(marts, model.model, number, tier=model.model, **values, events_7d=number % 7)
        add_account_week(marts, "falls", number, seat_utilisation=0.9 - 0.12 * number, events_7d=number % 7)
    score_weeks(marts, counting(*models), WEEKS, Scope())
    build_scratch(marts)
    found = replay(marts)
    assert found.differences.empty, found.differences.to_string()
    assert found.compared == 5 * len(REPLAYED)
    replayed = list(score_rows(marts, SCRATCH.scores))
    stored = {str(row) for row in score_rows(marts, "cs.health_scores")}
    assert len(replayed) == len(stored) == 5 * 4 * len(REPLAYED)
    assert {str(row) for row in replayed} == stored
    assert {row["status"] for (row,) in rows(marts, f"select to_jsonb(t) from {SCRATCH.scores} as t")} >= {"held"}


def test_differences_name_the_metrics_and_the_accounts_that_were_not_there(marts: Warehouse) -> None:
    for account in ("a", "b", "gone"):
        add_account(marts, account)
        add_account_week(marts, account, 5)
    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(5)], Scope())
    build_scratch(marts)
    rows_of = f"from {SCRATCH.account_weeks} where account_id"
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute(
            f"update {SCRATCH.account_weeks} set seat_utilisation = 0, logged_in_7d = 0 where account_id = 'a'"
        )
        cursor.execute(f"create temporary table new as select * {rows_of} = 'gone'; delete {rows_of} = 'gone'")
        cursor.execute(f"update new set account_id = 'new'; insert into {SCRATCH.account_weeks} select * from new")
    found = replay(marts)
    told = found.differences[["account", "stored_band", "known_band", "because"]]
    assert sorted(told.fillna("").itertuples(index=False, name=None)) == [
        ("A", "Green", "Green", "seat_utilisation, logged_in_7d"),
        ("Gone", "Green", "", "not known then"),
        ("new", "", "Green", "not in the stored week"),
    ]
    assert reproduction_verdict(found) == "3 differ from the stored ones, 2 of them in another band."


def test_a_version_that_is_computed_otherwise_today_is_refused(marts: Warehouse) -> None:
    add_account_week(marts, "a", 5)
    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(5)], Scope())
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute("update cs.score_models set definition = definition || '{\"coverage_floor\": 0.1}'")
    with pytest.raises(UserError, match="of a form that is no longer computed"):
        replay(marts)
