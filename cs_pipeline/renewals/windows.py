"""Which renewal windows open in a week, as SQL over the subscription terms.

A window of n days opens n days before the renewal date. It belongs to the week after whose end it opens, so that the
plays of that week can act on the very day. Here is what opens when; who is told, and how, is a matter of plays.

What a week sees is what was so when it ended: a term that had started, that had not ended, that nothing had replaced.
Dates after that are not looked at, though the warehouse may know them by now.
"""

from collections.abc import Iterable
from datetime import date

DAYS_BEFORE = (180, 90, 60, 30, 14, 7)
"""Windows before a renewal (C-32), in days; after it there is one more, `overdue`."""


def windows_of(weeks: Iterable[date]) -> str:
    """A select of every window that opens in one of `weeks` (Mondays), for any number of them at once.

    Columns: subscription_id, renewal_date, renewal_window, account_id, week, opens_on, renewal_type, arr (those of
    cs.renewal_windows, in this order). Add-ons and trials do not renew. A window that would open before its term
    started is left out, as are those of an account that has left. `overdue` opens when a week ends with the renewal
    date passed in it, and no successor; a term that was cancelled before its renewal date is not overdue.
    """
    listed = ", ".join(f"date '{week}'" for week in weeks)
    days = ", ".join(str(each) for each in DAYS_BEFORE)
    return f"""
        with weeks as (
            select
                week,
                week + 7 as as_of_day
            from unnest(array[{listed}]::date[]) as listed (week)
        ),

        terms as (
            select
                terms.*,
                accounts.churned_at
            from marts.fct_subscription_terms as terms
            inner join marts.dim_accounts as accounts on terms.account_id = accounts.account_id
            where
                terms.renews_on is not null
                and not terms.is_addon
                and not terms.is_trial
        ),

        ahead as (
            select
                terms.*,
                days.days::text as renewal_window,
                terms.renews_on - days.days as opens_on,
                weeks.week,
                weeks.as_of_day
            from terms
            cross join unnest(array[{days}]) as days (days)
            inner join weeks on {_monday("terms.renews_on - days.days")} = weeks.as_of_day
            where
                terms.renews_on - days.days >= terms.started_on
                and (terms.ended_on is null or terms.ended_on >= weeks.as_of_day)
        ),

        overdue as (
            select
                terms.*,
                'overdue' as renewal_window,
                weeks.as_of_day as opens_on,
                weeks.week,
                weeks.as_of_day
            from terms
            inner join weeks on {_monday("terms.renews_on")} = weeks.week
            where terms.ended_on is null or terms.ended_on >= terms.renews_on
        ),

        windows as (
            select * from ahead
            union all
            select * from overdue
        )

        select
            subscription_id,
            renews_on as renewal_date,
            renewal_window,
            account_id,
            week,
            opens_on,
            renewal_type,
            coalesce(mrr, 0) * 12 as arr
        from windows
        where
            started_on < as_of_day
            and (successor_started_on is null or successor_started_on >= as_of_day)
            and (churned_at is null or churned_at >= as_of_day::timestamp at time zone 'UTC')
    """


def _monday(day: str) -> str:
    """SQL for the Monday of a day's week."""
    return f"date_trunc('week', ({day})::timestamp)::date"
