"""Triggers of a live week: one for each account that changed severity and each renewal window that opened.

They are opened after the week's checks, as a step of its own, so that scores that cannot be right start no play. A
trigger's key is its cause, for ever: opening the week again adds none. What they start is up to the plays.
"""

from datetime import date, timedelta

from adbc_driver_manager.dbapi import Connection

from cs_pipeline.history.weeks import LATE_DAYS, WEEK, execute
from cs_pipeline.warehouse.connection import Warehouse

DRIVERS_TOLD = 3


def open_triggers(warehouse: Warehouse, week: date) -> dict[str, int]:
    """Write the triggers of what is live in `week`, in one transaction; returns how many are new, by kind."""
    with warehouse.arrow() as connection:
        return {
            "score_change": _open_score_changes(connection, week),
            "renewal_window": _open_renewal_windows(connection, week),
        }


def _open_score_changes(connection: Connection, week: date) -> int:
    """Write triggers for the changes of severity in `week`; returns how many are new.

    A held score starts nothing, also where another model has come to count. An account's first score is one when it
    is not healthy: from_severity is then missing among the facts.
    """
    return execute(
        connection,
        f"""
        insert into cs.triggers (trigger_key, kind, account_id, subject_id, week, occurred_at, anchor_on, facts)
        select
            concat_ws(':', 'score_change', account_id, week, model, to_severity),
            'score_change',
            account_id,
            account_id,
            week,
            {_moment(week + WEEK)},
            date '{week + WEEK}',
            jsonb_build_object(
                'model', model,
                'model_version', model_version,
                'previous_week', previous_week,
                'from_score', from_score,
                'to_score', to_score,
                'delta', delta,
                'from_band', from_band,
                'to_band', to_band,
                'from_severity', from_severity,
                'to_severity', to_severity,
                'cause', cause,
                'drivers', (
                    select
                        coalesce(
                            jsonb_agg(
                                jsonb_build_object(
                                    'metric', driver.metric,
                                    'delta', driver.part,
                                    'cause', driver.reason,
                                    'before', before.metric_value,
                                    'after', after.metric_value
                                )
                                order by driver.position
                            ),
                            '[]'
                        )
                    from unnest(driver_metrics, driver_deltas, driver_causes)
                        with ordinality as driver (metric, part, reason, position)
                    left join cs.score_points as after
                        on changes.week = after.week
                        and changes.account_id = after.account_id
                        and driver.metric = after.metric
                        and after.is_active
                    left join cs.score_points as before
                        on changes.previous_week = before.week
                        and changes.account_id = before.account_id
                        and driver.metric = before.metric
                        and before.is_active
                    where driver.position <= {DRIVERS_TOLD}
                )
            )
        from cs.score_changes as changes
        where
            week = date '{week}'
            and origin = 'live'
            and to_severity <> coalesce(from_severity, 0)
            and not exists (
                select 1
                from cs.health_scores as held
                where
                    held.account_id = changes.account_id
                    and held.week = changes.week
                    and held.is_active
                    and held.status = 'held'
            )
        order by account_id
        on conflict (trigger_key) do nothing
        """,
    )


def _open_renewal_windows(connection: Connection, week: date) -> int:
    """Write triggers for the renewal windows that opened in `week`, and for those of the week before that are a few
    days old and have none: it was missed, or stopped at a check. Returns how many are new.
    """
    return execute(
        connection,
        f"""
        insert into cs.triggers (trigger_key, kind, account_id, subject_id, week, occurred_at, anchor_on, facts)
        select
            concat_ws(':', 'renewal_window', subscription_id, renewal_date, renewal_window),
            'renewal_window',
            account_id,
            subscription_id,
            week,
            {_moment(week + WEEK)},
            renewal_date,
            jsonb_build_object(
                'renewal_window', renewal_window,
                'renewal_type', renewal_type,
                'renewal_date', renewal_date,
                'opens_on', opens_on,
                'arr', arr
            )
        from cs.renewal_windows
        where
            origin = 'live'
            and (
                week = date '{week}'
                or (week = date '{week - WEEK}' and opens_on >= date '{week + WEEK - timedelta(days=LATE_DAYS)}')
            )
        order by subscription_id
        on conflict (trigger_key) do nothing
        """,
    )


def _moment(day: date) -> str:
    return f"timestamptz '{day} 00:00:00+00'"
