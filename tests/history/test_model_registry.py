"""The model that scored last is kept, whatever became of its file."""

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.health.selection import selection_of
from cs_pipeline.history.model_registry import model_that_scored
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import add_account_week, week
from tests.builders.scored_accounts import WEEKLY_POINTS

CHANGED = WEEKLY_POINTS.changed(coverage_floor=0.4)


def score(warehouse: Warehouse, number: int, *, changed: bool) -> None:
    add_account_week(warehouse, "acme", number)
    score_weeks(warehouse, selection_of(CHANGED if changed else WEEKLY_POINTS), [week(number)], Scope())


def test_it_is_the_version_of_the_newest_week(marts: Warehouse) -> None:
    score(marts, 0, changed=True)
    score(marts, 1, changed=False)
    score(marts, 0, changed=True)
    found = model_that_scored(marts, "weekly_points")
    assert found is not None
    assert found.version == WEEKLY_POINTS.version


def test_there_is_none_where_the_model_counts_for_nobody(marts: Warehouse) -> None:
    assert model_that_scored(marts, "weekly_points") is None
    score(marts, 0, changed=False)
    assert model_that_scored(marts, "five_factor") is None


def test_it_is_the_version_that_counts_for_most_accounts(marts: Warehouse) -> None:
    for account, tier in (("acme", "pro"), ("bolt", "pro"), ("core", "enterprise")):
        add_account_week(marts, account, 0, tier=tier)
    for most, few in ((WEEKLY_POINTS, CHANGED), (CHANGED, WEEKLY_POINTS)):
        score_weeks(marts, selection_of(most), [week(0)], Scope())
        score_weeks(marts, selection_of(few), [week(0)], Scope(segment="enterprise"))
        found = model_that_scored(marts, "weekly_points")
        assert found is not None
        assert found.version == most.version


def test_a_definition_of_another_form_is_not_taken_for_no_model(marts: Warehouse) -> None:
    score(marts, 0, changed=False)
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute("""update cs.score_models set definition = '{"weights": []}'""")
    with pytest.raises(UserError, match=f"Version {WEEKLY_POINTS.version} of weekly_points was kept in a form"):
        model_that_scored(marts, "weekly_points")
