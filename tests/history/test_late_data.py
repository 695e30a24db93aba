"""Which scored weeks have inputs that changed since: by table, with how many rows, and whether they would count."""

from datetime import date, datetime
from typing import Any

import pytest

from cs_pipeline.health.selection import selection_of
from cs_pipeline.history.late_data import LateData, late_data
from cs_pipeline.history.rescoring import rescore
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.settings import LateRows
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract
from tests.builders.marts import add_account_week, week
from tests.builders.months import have_months
from tests.builders.scored_accounts import WEEKLY_POINTS

WEEKS = [week(number) for number in range(3)]  # from 2024-01-01


def load(warehouse: Warehouse, name: str, **row: object) -> None:
    """A row of a load of its own, which arrives now; a row with its key is replaced."""
    table = read_contract().tables[name]
    with warehouse.session() as session, session.cursor() as cursor:
        if table.create(cursor):
            table.create_indexes(cursor)
        cursor.execute(
            "insert into cs.loads (source_table, origin, finished_at) values (%s, 'test', now()) returning load_id",
            [name],
        )
        row["_load_id"] = (cursor.fetchone() or (None,))[0]
        if table.by_month:
            have_months(cursor, [str(row["occurred_at"])], table)
        key = ", ".join(table.stored_key)
        cursor.execute(
            f"insert into raw.{name} ({', '.join(row)}) values %s on conflict ({key}) do update set "
            + ", ".join(f"{column} = excluded.{column}" for column in row),
            [tuple(row.values())],
        )


def event(warehouse: Warehouse, event_id: str, occurred_at: str, **values: object) -> None:
    account = {"account_id": "a", "event_name": "login", "occurred_at": occurred_at}
    load(warehouse, "events", event_id=event_id, **account, **values)


def late(warehouse: Warehouse, late_rows: LateRows = "exclude") -> LateData:
    return late_data(warehouse, WEEKS[0], WEEKS[-1], late_rows)


def arrived(found: LateData) -> list[tuple[Any, ...]]:
    return list(found.arrived[["week", "source", "rows", "would_count"]].itertuples(index=False, name=None))


@pytest.fixture
def scored(marts: Warehouse) -> Warehouse:
    """Three weeks, scored when one event of the second was there."""
    for number in range(3):
        add_account_week(marts, "a", number)
    event(marts, "in time", "2024-01-10 09:00Z")
    score_weeks(marts, selection_of(WEEKLY_POINTS), WEEKS, Scope())
    return marts


def test_nothing_is_late_when_nothing_arrived_or_only_news(scored: Warehouse) -> None:
    assert late(scored).arrived.empty
    event(scored, "news", "2024-01-22 00:00Z")
    assert late(scored).arrived.empty
    assert late(scored).weeks_to_score_again == []


def test_a_row_that_arrived_after_a_week_was_scored_concerns_its_week_and_those_after_it(scored: Warehouse) -> None:
    event(scored, "late", "2024-01-14 23:59Z")
    found = late(scored)
    assert arrived(found) == [(week(1), "events", 1, 1), (week(2), "events", 1, 1)]
    assert all(isinstance(moment, datetime) for moment in found.arrived["newest_arrival"])
    assert found.weeks_to_score_again == [week(1), week(2)]


def test_a_row_that_says_when_it_arrived_counts_only_from_that_week_unless_late_rows_are_included(
    scored: Warehouse,
) -> None:
    event(scored, "late", "2024-01-02 09:00Z", _loaded_at="2024-01-16 09:00Z")
    assert arrived(late(scored)) == [(week(0), "events", 1, 0), (week(1), "events", 1, 0), (week(2), "events", 1, 1)]
    assert late(scored).weeks_to_score_again == [week(2)]
    assert late(scored, "include").weeks_to_score_again == WEEKS


def test_scoring_a_week_again_settles_it_but_not_for_some_accounts_or_beside(scored: Warehouse) -> None:
    event(scored, "late", "2024-01-10 10:00Z")
    rescore(scored, WEEKLY_POINTS.changed(coverage_floor=0.9), week(0), week(2), Scope())
    score_weeks(scored, selection_of(WEEKLY_POINTS), WEEKS, Scope(segment="pro"))
    assert late(scored).weeks_to_score_again == [week(1), week(2)]
    score_weeks(scored, selection_of(WEEKLY_POINTS), [week(1)], Scope())
    assert late(scored).weeks_to_score_again == [week(2)]


def test_a_changed_row_may_matter_unless_something_in_it_happened_after_the_week(scored: Warehouse) -> None:
    ticket = {"ticket_id": "t", "account_id": "a", "created_at": "2024-01-09 09:00Z", "priority": "low"}
    load(scored, "tickets", **ticket, resolved_at="2024-01-25 09:00Z")
    assert late(scored).changed.empty
    load(scored, "tickets", **ticket | {"priority": "critical"}, resolved_at="2024-01-16 09:00Z")
    changed = late(scored).changed
    assert list(changed[["week", "source", "rows"]].itertuples(index=False, name=None)) == [(week(2), "tickets", 1)]
    assert late(scored).weeks_to_score_again == []


def test_a_new_version_for_some_accounts_does_not_settle_the_week_for_all(scored: Warehouse) -> None:
    event(scored, "late", "2024-01-10 09:00Z")
    other = selection_of(WEEKLY_POINTS.changed(coverage_floor=0.9))
    score_weeks(scored, other, WEEKS, Scope(segment="pro"))
    assert late(scored).weeks_to_score_again == [week(1), week(2)]
    score_weeks(scored, other, WEEKS, Scope())
    assert late(scored).weeks_to_score_again == []


def test_tables_that_no_metric_comes_from_are_no_inputs(scored: Warehouse) -> None:
    load(scored, "referrals", referral_id="r", account_id="a", referred_at="2024-01-02 09:00Z")
    assert late(scored).arrived.empty


def test_only_the_weeks_asked_for_are_looked_at(scored: Warehouse) -> None:
    event(scored, "late", "2024-01-02 09:00Z")
    assert late_data(scored, week(1), week(1), "exclude").weeks_to_score_again == [week(1)]
    assert late_data(scored, date(2030, 1, 7), date(2030, 1, 7), "exclude").arrived.empty
