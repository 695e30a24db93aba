"""What a load, the roll-ups and the test of keys read for the same news does not grow with the history before it."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from cs_pipeline.warehouse.load import load_folder
from tests.builders.months import have_months
from tests.dbt.conftest import DbtWarehouse, accounts

ROLL_UPS = ("int_user_activity_daily", "int_feature_usage_daily")
NEWEST = date(2024, 12, 1)
ACCOUNTS = 40
EVENTS_A_DAY = 1_000
SHORT, LONG = 60, 240
"""Days of history."""


def remember(dbt: DbtWarehouse, first_day: int, last_day: int) -> None:
    """Events of the days that are so long ago, in one load, in the order of time as exports have it."""
    with dbt.warehouse.session() as session, session.cursor() as cursor:
        have_months(
            cursor, [f"{NEWEST - timedelta(days=ago)} 12:00Z" for ago in range(last_day + 1, first_day - 1, -1)]
        )
    dbt.execute(
        f"""
        with load as (insert into cs.loads (source_table, origin) values ('events', 'history') returning load_id)

        insert into raw.events (event_id, account_id, user_id, occurred_at, event_name, feature, _load_id)
        select
            'h' || days_ago || '-' || number, 'a' || number % {ACCOUNTS}, 'u' || number % 200,
            timestamptz '{NEWEST} 00:00Z' - days_ago * interval '1 day' + number * interval '1 minute',
            'login', 'reports', load_id
        from load
        cross join generate_series({last_day}, {first_day}, -1) as days (days_ago)
        cross join generate_series(1, {EVENTS_A_DAY}) as numbers (number)
        """
    )
    dbt.execute(
        "select brin_summarize_new_values(pg_class.oid) from pg_class inner join pg_am on relam = pg_am.oid "
        "where amname = 'brin' and relkind = 'i' and relname like 'events%'"
    )


def rows_read(dbt: DbtWarehouse) -> int:
    """Rows of events and roll-ups that were read so far, by whatever way; those that ANALYZE samples do not count."""
    (read,) = dbt.column(
        "select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_user_tables "
        f"where relname ~ '^events(_20.*)?$' or relname in ('{ROLL_UPS[0]}', '{ROLL_UPS[1]}')"
    )
    return int(read)


def looks_into_old_months(dbt: DbtWarehouse) -> int:
    """How often anything read a month of events before those next to the news."""
    (looks,) = dbt.column(
        "select coalesce(sum(seq_scan + coalesce(idx_scan, 0)), 0)::bigint from pg_stat_user_tables "
        "where relname ~ '^events_20' and relname < 'events_2024_10'"
    )
    return int(looks)


def rows_for_news(dbt: DbtWarehouse, folder: Path, day: date) -> dict[str, int]:
    """Rows read for a day's events and one that is late: by the load, by the roll-ups, and by the test of keys."""
    dbt.execute("analyze raw.events")
    late = f"late-{day},a1,u1,{day - timedelta(days=20)} 10:00Z,login,reports"
    new = [f"{day}-{n},a{n % ACCOUNTS},u{n % 200},{day} 10:00Z,login,reports" for n in range(EVENTS_A_DAY)]
    header = "event_id,account_id,user_id,occurred_at,event_name,feature"
    (folder / "events.csv").write_text("\n".join([header, late, *new, ""]))
    before, looks = rows_read(dbt), looks_into_old_months(dbt)
    load_folder(dbt.warehouse, folder)
    loaded = rows_read(dbt)
    assert looks_into_old_months(dbt) == looks
    dbt.build("--select", "stg_events", *ROLL_UPS)
    rolled_up = rows_read(dbt)
    assert dbt.failures("test", "--select", "test_name:keys_are_of_one_account") == []
    return {"load": loaded - before, "roll-ups": rolled_up - loaded, "keys": rows_read(dbt) - rolled_up}


@pytest.mark.one_server("each server keeps the statistics of its part")
def test_the_same_news_reads_as_many_rows_when_history_is_four_times_as_long(
    dbt_warehouse: DbtWarehouse, tmp_path: Path
) -> None:
    dbt_warehouse.load("accounts", *accounts(*(f"a{number}" for number in range(ACCOUNTS))))
    dbt_warehouse.load("features", {"feature": "reports", "is_core": True})
    remember(dbt_warehouse, 1, SHORT)
    dbt_warehouse.build("--select", "stg_events", *ROLL_UPS)
    short = rows_for_news(dbt_warehouse, tmp_path, NEWEST)
    remember(dbt_warehouse, SHORT + 1, LONG)
    dbt_warehouse.build("--select", "stg_events", *ROLL_UPS)
    long = rows_for_news(dbt_warehouse, tmp_path, NEWEST + timedelta(days=1))
    assert max(short["load"], long["load"]) <= 3 * EVENTS_A_DAY, "keys are looked up, and only new pages are summarized"
    assert max(short["keys"], long["keys"]) <= 20 * EVENTS_A_DAY, "keys are looked up, those of some ranges of blocks"
    assert short["roll-ups"] > 3 * EVENTS_A_DAY, "else they were not counted"
    assert long["roll-ups"] == pytest.approx(short["roll-ups"], rel=0.25)
