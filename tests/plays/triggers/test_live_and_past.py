"""A simulated week has the triggers that the live week opened: the same random history, gone through both ways."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import event, example, given
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st

from cs_pipeline.plays.facts.catalogue import TriggerKind
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.triggers.causes import COLUMNS
from cs_pipeline.plays.triggers.kinds import KINDS, open_day, open_week
from cs_pipeline.plays.triggers.point_in_time import PastTriggers
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import Company
from tests.conftest import CopyDatabase

FIRST = date(2025, 1, 6)
WEEKS = [FIRST + timedelta(days=7 * number) for number in range(4)]
START = datetime.combine(FIRST, time(), UTC)
SETTINGS = Settings(home=Path("unused"))
PAST_KINDS: set[TriggerKind] = {kind.name for kind in KINDS if kind.has_a_past}


@dataclass(frozen=True)
class Life:
    """An account over the WEEKS. Hours count from their start.

    `severities`: of its scores, a week each (None: no score); `held`: weeks whose score is held; `is_full`: weeks in
    which its seats are used up; `talked`: days since the last conversation as the first week ends; `window`: the week
    in which a renewal window opens, and on which of its days.
    """

    signed_up: int
    left: int | None
    severities: Sequence[int | None]
    held: frozenset[int]
    is_full: Sequence[bool]
    talked: int
    window: tuple[int, int] | None


def of_weeks(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(values, min_size=len(WEEKS), max_size=len(WEEKS))


DURING = st.integers(0, 24 * 7 * len(WEEKS))
YEARS_AGO = st.integers(1, 3).flatmap(lambda years: DURING.map(lambda hours: hours - years * 365 * 24))
LIVES = st.builds(
    Life,
    signed_up=DURING | st.just(-5 * 365 * 24),
    left=st.none() | DURING | YEARS_AGO,
    severities=of_weeks(st.sampled_from([None, 0, 1, 2, 3])),
    held=st.frozensets(st.integers(0, len(WEEKS) - 1), max_size=2),
    is_full=of_weeks(st.booleans()),
    talked=st.integers(0, 40),
    window=st.none() | st.tuples(st.integers(0, len(WEEKS) - 1), st.integers(0, 6)),
)


def live_through(company: Company, number: int, life: Life) -> None:
    account = company.account(
        f"a{number}",
        created_at=START + timedelta(hours=life.signed_up),
        churned_at=None if life.left is None else START + timedelta(hours=life.left),
        industry="Software",
    )
    before: int | None = None
    for place, week in enumerate(WEEKS):
        seats = 0.95 if life.is_full[place] else 0.5
        company.metrics(account, week, seat_utilisation=seats, days_since_last_touchpoint=life.talked + 7 * place)
        severity = life.severities[place]
        if severity is None:
            continue
        company.score(account, severity, week)
        if place in life.held:
            company.run(
                "update cs.health_scores set status = 'held' where account_id = %s and week = %s", account, week
            )
        company.insert(
            "cs.score_changes",
            week=week, account_id=account, model="weekly_points", model_version="v1",
            previous_week=None if before is None else week - timedelta(days=7),
            from_severity=before, to_severity=severity, from_score=None, to_score=50.0, delta=None, cause="behaviour",
            driver_metrics=["logged_in_7d"], driver_deltas=[-10.0], driver_causes=["behaviour"], origin="live",
        )  # fmt: skip
        before = severity
    if life.window is not None:
        week, day = WEEKS[life.window[0]], life.window[1]
        company.insert(
            "cs.renewal_windows",
            subscription_id=f"s{number}", renewal_date=week + timedelta(days=30), renewal_window="30",
            account_id=account, week=week, opens_on=week + timedelta(days=day), renewal_type="auto", arr=12_000.0,
            origin="live",
        )  # fmt: skip


def opened_live(company: Company, monday_mornings: Sequence[datetime]) -> list[tuple]:
    for week, now in zip(WEEKS, monday_mornings, strict=True):
        open_week(company.warehouse, week, SETTINGS, now)
        open_day(company.warehouse, now)
    return company.run(f"select {', '.join(COLUMNS)} from cs.triggers")


def told_of_the_past(warehouse: Warehouse, monday_mornings: Sequence[datetime]) -> list[tuple]:
    past, found = PastTriggers(PAST_KINDS, None), []
    for week, now in zip(WEEKS, monday_mornings, strict=True):
        with warehouse.session() as session:
            opened = past.of_week(session, week, AsOf(SETTINGS, now, sees_ahead=False), lambda today: today)
        found += opened.itertuples(index=False, name=None)
    return found


@pytest.fixture(scope="module")
def empty(migrated: Warehouse, copy_once: CopyDatabase) -> Company:
    return Company(copy_once(migrated))


GONE_AND_HELD = Life(
    signed_up=20,
    left=90,
    severities=[3, 0, 1, 2],
    held=frozenset({0, 2}),
    is_full=[False, True, False, True],
    talked=29,
    window=(1, 6),
)
LONG_GONE = Life(-5 * 365 * 24, 30 - 2 * 365 * 24, [None] * 4, frozenset(), [False] * 4, 0, None)
STAYS = Life(-5 * 365 * 24, None, [0, 2, 2, 1], frozenset({3}), [False, True, True, False], 29, (0, 6))


@of_hypothesis(max_examples=8)
@example([GONE_AND_HELD, LONG_GONE, STAYS])
@given(st.lists(LIVES, min_size=2, max_size=5))
def test_a_simulated_week_has_the_triggers_that_the_live_week_opened(empty: Company, lives: list[Life]) -> None:
    company = empty
    company.run(
        "truncate cs.triggers, cs.segments, cs.segment_members, cs.score_changes, cs.renewal_windows,"
        " cs.health_scores, staging.stg_accounts, marts.dim_accounts, marts.dim_contacts, marts.fct_account_weeks"
        " cascade"
    )
    for number, life in enumerate(lives):
        live_through(company, number, life)
    mornings = [datetime.combine(week + timedelta(days=7), time(6), UTC) for week in WEEKS]
    past = told_of_the_past(company.warehouse, mornings)
    live = opened_live(company, mornings)
    for kind in {row[1] for row in live}:
        event(kind)
    assert sorted(past, key=lambda row: row[0]) == sorted(live, key=lambda row: row[0])


def test_the_history_of_the_example_opens_every_kind_that_has_a_past(company: Company) -> None:
    for number, life in enumerate((GONE_AND_HELD, LONG_GONE, STAYS)):
        live_through(company, number, life)
    mornings = [datetime.combine(week + timedelta(days=7), time(6), UTC) for week in WEEKS]
    live = opened_live(company, mornings)
    assert {row[1] for row in live} == PAST_KINDS
    keys = {row[0] for row in live}
    assert "lifecycle:a0:signup" not in keys  # it had left again
    assert not [key for key in keys if key.startswith(f"score_change:a0:{WEEKS[0]}")]  # its score was held
