"""Which renewal windows open in a week, as SQL over the subscription terms.

A window of n days opens n days before the renewal date. It belongs to the week after whose end it opens, so that the
plays of that week can act on the very day. Here is what opens when; who is told, and how, is a matter of plays. What a
term and a renewal are is told in docs/contracts.md.

What a week sees is what was so when it ended: a term that had started, that had not ended, that nothing had replaced
and whose renewal had not arrived. Dates after that are not looked at, though the warehouse may know them by now, except
for the present week: what it opens is acted on today, so it sees whatever is signed or ends ahead.
"""

from collections.abc import Collection, Iterable
from datetime import date

DAYS_BEFORE = (180, 90, 60, 30, 14, 7)
"""Windows before a renewal (C-32), in days; after it there is one more, `overdue`."""


def windows_of(weeks: Iterable[date], present: Collection[date] = ()) -> str:
    """A select of every window that opens in one of `weeks` (Mondays), for any number of them at once.

    Columns: subscription_id, renewal_date, renewal_window, account_id, week, opens_on, renewal_type, arr (those of
    cs.renewal_windows, in this order). `present`: those of the weeks that see what lies ahead.

    Add-ons and trials do not renew. A window that would open before its term started is left out, as are those of an
    account that has left. `overdue` opens when a week ends with the renewal date passed in it, no successor, and nobody
    had renewed: not for a term that renews by itself, nor for one that was cancelled before its renewal date.
    """
    listed = ", ".join(f"(date '{week}', {week in present})" for week in weeks)
    days = ", ".join(str(each) for each in DAYS_BEFORE)
    return f"""
        with weeks as (
            select
                week,
                week + 7 as as_of_day,
                sees_ahead
            from (values {listed}) as listed (week, sees_ahead)
        ),

        range as (
            select
                min(week) as first_day,
                max(as_of_day) + {max(DAYS_BEFORE) + 7} as last_day
            from weeks
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

        -- Each renewal of a term with the day on which the time before it began.
        renewals as (
            select
                terms.*,
                terms.renews_on as renewal_date,
                terms.started_on as since
            from terms
            union all
            select
                terms.*,
                (terms.renews_on + make_interval(months => terms.renews_every_months * nth))::date,
                (terms.renews_on + make_interval(months => terms.renews_every_months * (nth - 1)))::date
            from terms
            cross join range
            cross join lateral generate_series(
                greatest(1, (range.first_day - terms.renews_on) / (31 * terms.renews_every_months)),
                (range.last_day - terms.renews_on) / (28 * terms.renews_every_months) + 1
            ) as laps (nth)
            where
                terms.renews_every_months is not null
                and (terms.held_until is null or terms.held_until > range.first_day)
        ),

        ahead as (
            select
                renewals.*,
                days.days::text as renewal_window,
                renewals.renewal_date - days.days as opens_on,
                weeks.week,
                weeks.as_of_day,
                weeks.sees_ahead
            from renewals
            cross join unnest(array[{days}]) as days (days)
            inner join weeks on {_monday("renewals.renewal_date - days.days")} = weeks.as_of_day
            where
                renewals.renewal_date - days.days >= renewals.since
                and (renewals.ended_on is null or renewals.ended_on >= weeks.as_of_day)
        ),

        overdue as (
            select
                renewals.*,
                'overdue' as renewal_window,
                weeks.as_of_day as opens_on,
                weeks.week,
                weeks.as_of_day,
                weeks.sees_ahead
            from renewals
            inner join weeks on {_monday("renewals.renewal_date")} = weeks.week
            where
                renewals.renewal_type = 'manual'
                and (renewals.ended_on is null or renewals.ended_on >= renewals.renewal_date - 1)
                and (renewals.moved_on is null or renewals.moved_on >= weeks.as_of_day)
        ),

        windows as (
            select * from ahead
            union all
            select * from overdue
        )

        select
            subscription_id,
            renewal_date,
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
            and (successor_known_on is null or successor_known_on >= as_of_day)
            and (not sees_ahead or successor_started_on is null)
            and (not sees_ahead or ended_on is null or ended_on < as_of_day or ended_on > renewal_date + 1)
            and (churned_at is null or churned_at >= as_of_day::timestamp at time zone 'UTC')
    """


def _monday(day: str) -> str:
    """SQL for the Monday of a day's week."""
    return f"date_trunc('week', ({day})::timestamp)::date"
