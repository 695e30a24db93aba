"""Weeks replayed as they were known at a moment: what was late is in it from its arrival on; nothing stored changes."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.history.reproduced_scores import SCRATCH_SCHEMA, Reproduction
from cs_pipeline.history.reproduction import reproduce
from cs_pipeline.reports.scores.text import reproduction_verdict
from tests.builders.sample_history import SCORED_UNTIL, WEEK, History

pytestmark = pytest.mark.slow(seconds=8)

FIRST = SCORED_UNTIL - WEEK
EVERYTHING = ("cs.health_scores", "cs.score_changes", "cs.scored_weeks", "cs.score_models", "marts.fct_account_weeks")


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def replay(history: History, known_at: datetime) -> Reproduction:
    log = history.home / "logs" / "replay.log"
    return reproduce(history.warehouse, FIRST, SCORED_UNTIL, known_at, on_step=lambda _: None, log=log)


def stored(history: History) -> list[list[tuple[object, ...]]]:
    """All that could have changed, to the byte, and when its rows were written."""
    return [history.rows(f"select xmin::text, t::text from {table} as t order by 2") for table in EVERYTHING]


def quiet_account(history: History) -> str:
    """An account without any login for a while, whose score a login would change."""
    ((account,), *_) = history.rows(
        f"select account_id from marts.fct_account_weeks where week >= '{FIRST}' "
        "group by 1 having count(*) = 2 and max(logged_in_7d) = 0 order by 1"
    )
    return str(account)


def test_a_row_that_arrived_late_shows_from_its_arrival_on_and_nothing_stored_changes(history: History) -> None:
    account = quiet_account(history)
    arrival = midnight(SCORED_UNTIL + WEEK) + timedelta(days=2, hours=9)
    history.rows(
        "insert into raw.events (event_id, account_id, user_id, occurred_at, event_name, _loaded_at, _load_id) "
        f"values ('late', '{account}', 'somebody', '{SCORED_UNTIL + timedelta(days=3)} 12:00Z', 'login', "
        f"'{arrival}', 999999)"
    )
    before = stored(history)

    unknown = replay(history, arrival)
    assert unknown.compared == history.count("cs.active_scores", f"week between '{FIRST}' and '{SCORED_UNTIL}'") > 0
    assert unknown.differences.empty, unknown.differences.to_string()
    assert reproduction_verdict(unknown) == "the stored scores are the same."

    known = replay(history, arrival + timedelta(minutes=1))
    (difference,) = known.differences.to_dict("records")
    assert difference["week"] == SCORED_UNTIL
    assert "logged_in_7d" in difference["because"].split(", ")
    assert difference["known_score"] - difference["stored_score"] == pytest.approx(difference["difference"])
    assert difference["difference"] > 0
    assert not pd.isna(difference["arr"])

    assert stored(history) == before
    assert history.rows(f"select 1 from pg_namespace where nspname = '{SCRATCH_SCHEMA}'") == []


def test_a_moment_at_which_the_weeks_were_not_over_is_refused(history: History) -> None:
    with pytest.raises(UserError, match=f"the week {SCORED_UNTIL} was not over; choose {SCORED_UNTIL + WEEK} or later"):
        replay(history, midnight(SCORED_UNTIL + WEEK) - timedelta(minutes=1))


def test_a_version_that_is_no_longer_computed_is_refused_before_anything_is_built(history: History) -> None:
    history.rows("""update cs.score_models set definition = '{"weights": []}'""")
    with pytest.raises(UserError, match="is of a form that is no longer computed"):
        replay(history, midnight(SCORED_UNTIL + WEEK))
    assert not (history.home / "logs" / "replay.log").exists()


def test_only_one_replay_at_a_time(history: History) -> None:
    with history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext(%s))", [SCRATCH_SCHEMA])
        with pytest.raises(UserError, match="Somebody else reproduces"):
            replay(history, midnight(SCORED_UNTIL + WEEK))


def test_months_that_are_archived_are_named_and_nothing_is_scored_without_them(history: History) -> None:
    history.rows(
        "insert into cs.archived_months (source_table, month, file, rows, digest) "
        "values ('events', '2020-01-01', 'events_2020_01.parquet', 1, '')"
    )
    with pytest.raises(UserError, match="The events of 2020-01-01 are archived"):
        replay(history, midnight(SCORED_UNTIL + WEEK))
