"""The windows of fct_account_weeks against a plain reading of the raw events, one account and week at a time."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.dbt.conftest import DbtWarehouse, accounts

WEEKS = [date(2024, 3, 4) + timedelta(weeks=number) for number in range(5)]
ACCOUNTS = ["a", "b", "c"]
WITH_HISTORY = ("--select", "+fct_account_weeks", "--exclude-resource-type", "test")

SPINE = f"""
    (
        select account_id, monday::date as week, monday::date + 7 as as_of
        from
            unnest(array{ACCOUNTS}) as account_ids (account_id),
            generate_series(timestamp '{WEEKS[0]}', timestamp '{WEEKS[-1]}', interval '7 days') as mondays (monday)
    ) as spine
"""
HAPPENED = "occurred_at < as_of::timestamp at time zone 'UTC'"
COUNTS = {
    "include": HAPPENED,
    "exclude": f"{HAPPENED} and coalesce(_loaded_at, occurred_at) < as_of::timestamp at time zone 'UTC'",
}
EVENTS_READ_PLAINLY = """
    select
        spine.account_id,
        spine.week,
        coalesce(sum(quantity) filter (where days_ago <= 7), 0) as events_7d,
        coalesce(sum(quantity) filter (where days_ago <= 30), 0) as events_30d,
        coalesce(sum(quantity) filter (where days_ago > 30 and days_ago <= 60), 0) as events_previous_30d,
        count(distinct user_id) filter (where days_ago <= 7) as active_users_7d,
        count(distinct user_id) filter (where days_ago <= 30) as active_users_30d,
        count(distinct days_ago) filter (where event_name = 'login' and days_ago <= 30) as login_days_30d,
        coalesce(min(days_ago) filter (where event_name = 'login' and days_ago <= 90) - 1, 90) as days_since_last_login,
        count(distinct feature) filter (where days_ago <= 30) as features_used_30d,
        coalesce(sum(quantity) filter (where event_name = 'community_post' and days_ago <= 90), 0)
            as community_posts_90d,
        greatest(coalesce(sum(case event_name
            when 'automation_created' then quantity when 'automation_deactivated' then -quantity
        end), 0), 0) as active_automations
    from {spine}
    left join lateral (
        select *, as_of - (occurred_at at time zone 'UTC')::date as days_ago
        from raw.events
        where events.account_id = spine.account_id and {counts}
    ) as events on true
    group by spine.account_id, spine.week
    order by spine.week, spine.account_id
"""
EMAILS_READ_PLAINLY = """
    select
        spine.account_id,
        spine.week,
        count(*) filter (where days_ago <= 90) as emails_sent_90d,
        case when count(*) >= 3 then bool_and(is_opened) filter (where recency <= 3)::integer end
            as opened_last_3_emails,
        avg(is_opened::integer) filter (where days_ago <= 90)::double precision as email_open_rate_90d
    from {spine}
    left join lateral (
        select
            as_of - (min(occurred_at) filter (where event = 'sent') at time zone 'UTC')::date as days_ago,
            bool_or(event = 'open') as is_opened,
            row_number() over (order by min(occurred_at) filter (where event = 'sent') desc) as recency
        from raw.email_events
        where email_events.account_id = spine.account_id and {counts}
        group by message_id
        having bool_or(event = 'sent')
    ) as messages on true
    group by spine.account_id, spine.week
    having count(days_ago) > 0
    order by spine.week, spine.account_id
"""


def some_moment(chance: random.Random) -> datetime:
    return datetime(2023, 10, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(200 * 24 * 60))


def loaded_at(chance: random.Random, occurred_at: datetime) -> datetime | None:
    """In time, unknown, late, or announced before it happened."""
    delay = chance.choice([None, timedelta(0), timedelta(days=chance.randint(-9, 40))])
    return None if delay is None else occurred_at + delay


def some_events(chance: random.Random) -> list[dict[str, Any]]:
    names = ["login", "page_view", "community_post", "automation_created", "automation_deactivated"]
    return [
        {
            "event_id": str(number),
            "account_id": chance.choice(ACCOUNTS),
            "user_id": chance.choice([None, "u", "v", "w", "x"]),
            "occurred_at": (occurred_at := some_moment(chance)),
            "event_name": chance.choice(names),
            "feature": chance.choice([None, "f", "g", "h"]),
            "quantity": chance.randint(1, 5),
            "_loaded_at": loaded_at(chance, occurred_at),
        }
        for number in range(300)
    ]


def some_email_events(chance: random.Random) -> list[dict[str, Any]]:
    """Messages, few to some accounts, with opens of which some come long after."""
    events = []
    for number in range(60):
        sent_at = some_moment(chance)
        account_id = chance.choice(ACCOUNTS[: 2 if number else 3])
        for event in ("sent", "open", "open")[: chance.randint(1, 3)]:
            occurred_at = sent_at if event == "sent" else sent_at + timedelta(hours=chance.randint(1, 500))
            events.append(
                {
                    "email_event_id": str(len(events)),
                    "account_id": account_id,
                    "message_id": str(number),
                    "event": event,
                    "occurred_at": occurred_at,
                    "_loaded_at": loaded_at(chance, occurred_at),
                }
            )
    return events


@pytest.mark.parametrize("late_rows", ["exclude", "include"])
@pytest.mark.requirement("S3-05", "S3-07", "S3-08", "S3-13", "S3-16", "S4-61", "S5-11", "S5-14")
def test_windows_hold_what_a_plain_reading_of_the_raw_rows_finds(dbt_warehouse: DbtWarehouse, late_rows: str) -> None:
    chance = random.Random(7)
    dbt_warehouse.load("accounts", *accounts(*ACCOUNTS, created_at="2023-01-01 00:00Z"))
    dbt_warehouse.load("events", *some_events(chance))
    dbt_warehouse.load("email_events", *some_email_events(chance))
    dbt_warehouse.build(*WITH_HISTORY, week_from=str(WEEKS[0]), week_to=str(WEEKS[-1]), late_rows=late_rows)

    for plain_reading in (EVENTS_READ_PLAINLY, EMAILS_READ_PLAINLY):
        expected = dbt_warehouse.plain_rows(plain_reading.format(spine=SPINE, counts=COUNTS[late_rows]))
        columns = ", ".join(expected[0])
        found = dbt_warehouse.rows(f"select {columns} from marts.fct_account_weeks order by week, account_id")
        keys = {(row["account_id"], row["week"]) for row in expected}
        assert [row for row in found if (row["account_id"], row["week"]) in keys] == expected
