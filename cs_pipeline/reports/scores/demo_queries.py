"""Numbers for the page at the end of the demo. One query each."""

from datetime import date

import pandas as pd

from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse


def newest_week(warehouse: Warehouse) -> date | None:
    """The newest week that has scores."""
    week = query(warehouse, "select max(week) as week from cs.health_scores")["week"][0]
    return None if week is None or pd.isna(week) else week


def company_in_numbers(warehouse: Warehouse, week: date) -> dict[str, str]:
    """Headings and numbers: accounts, users, ARR, weeks of history, scores, rejects."""
    row = query(
        warehouse,
        """
        select
            (select count(*) from marts.fct_account_weeks where week = $1::date) as accounts,
            (select count(*) from raw.users where deleted_at is null) as users,
            (select coalesce(sum(arr), 0) from marts.fct_account_weeks where week = $1::date) as arr,
            (select count(distinct week) from cs.health_scores) as weeks,
            (select count(*) from cs.health_scores where is_active) as scores,
            (select coalesce(sum(rows), 0)::bigint from raw.raw_rejects) as rejects
        """,
        (week.isoformat(),),
    ).iloc[0]
    return {
        "accounts": f"{row['accounts']:,.0f}",
        "users": f"{row['users']:,.0f}" if row["users"] else "unknown",
        "ARR": f"{row['arr']:,.0f}",
        "weeks scored": f"{row['weeks']:,.0f}",
        "scores": f"{row['scores']:,.0f}",
        "rows put aside": f"{row['rejects']:,.0f}",
    }


def newest_plays(warehouse: Warehouse, limit: int) -> pd.DataFrame:
    """Columns playbook, account, why, status, reason: the newest enrolments, with the trigger in words.

    Of each playbook the newest comes first, then the second newest of each: one that starts often hides no other.
    """
    return query(
        warehouse,
        read_sql(__file__, "newest_plays"),
        (str(limit),),
    )


def taken_actions(warehouse: Warehouse) -> pd.DataFrame:
    """Columns state (captured, sent, planned, without a recipient, …), actions: the outbox at a glance."""
    return query(
        warehouse,
        """
        select
            case
                when status = 'sent' and delivery = 'capture' then 'captured'
                when status = 'failed' and reason = 'no_recipient' then 'without a recipient'
                else replace(status, '_', ' ')
            end as state,
            count(*) as actions
        from cs.actions
        group by 1
        order by 2 desc, 1
        """,
    )


def actions_by_playbook(warehouse: Warehouse) -> pd.DataFrame:
    """Columns playbook, channel, captured, planned, not_taken: how many actions of each are in which state."""
    return query(
        warehouse,
        """
        select
            playbook,
            channel,
            count(*) filter (where status = 'sent') as captured,
            count(*) filter (where status in ('planned', 'awaiting_approval', 'claimed')) as planned,
            count(*) filter (where status not in ('sent', 'planned', 'awaiting_approval', 'claimed')) as not_taken
        from cs.actions
        group by 1, 2
        order by 1, 2
        """,
    )
