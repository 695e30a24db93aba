"""Scores and bands that people set in place of the model: who, why, until when.

An override counts from the week in which it is set, for the model that counts for the account; weeks before it stay as
they were. Both numbers are kept in `cs.health_scores`. A withdrawn override stays in the table, so history can still be
scored again as it was.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.health.selection import Selection
from cs_pipeline.history.weeks import require_marts
from cs_pipeline.warehouse.connection import Warehouse


@dataclass(frozen=True)
class OverrideRequest:
    """What a person wants an account to have; a score, a band, or both."""

    account_id: str
    reason: str
    set_by: str
    until: date
    score: float | None = None
    band: str | None = None


def set_override(warehouse: Warehouse, selection: Selection, asked: OverrideRequest, now: datetime) -> date:
    """Write the override; returns the first week that it counts for.

    Raises UserError when the marts are not built, for an account or band that is not there, a band that could not count
    (it is another model's, or there is no score that it could be of), a score outside 0 to 100, no reason, or a day
    gone by.
    """
    require_marts(warehouse, "dim_accounts")
    if asked.score is None and asked.band is None:
        raise UserError("Say what the account should have: a score, a band, or both")
    if asked.score is not None and not 0 <= asked.score <= 100:
        raise UserError(f"The score is {asked.score:g}; expected 0 to 100")
    if not asked.reason.strip():
        raise UserError("Say why: whoever sees both numbers will wonder")
    if asked.until <= now.date():
        raise UserError(f"It would end on {asked.until}; expected a day after {now.date()}")
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select 1 from marts.dim_accounts where account_id = %s", (asked.account_id,))
        if cursor.fetchone() is None:
            raise UserError(f"There is no account '{asked.account_id}'")
        if asked.band is not None:
            _require_band(session, selection, asked, asked.band)
        first = _week_of(now.date())
        cursor.execute(
            """
            insert into cs.score_overrides (account_id, score, band, reason, set_by, set_at, from_week, until_week)
            values (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (asked.account_id, asked.score, asked.band, asked.reason, asked.set_by, now, first, _week_of(asked.until)),
        )
    return first


def _require_band(session: Session, selection: Selection, asked: OverrideRequest, band: str) -> None:
    """Raise UserError unless the band can count, as far as the account's newest score tells.

    For an account that has none yet, any model that counts for somebody may come to count.
    """
    with session.cursor() as cursor:
        cursor.execute(
            """
            select model, score is not null and (override_id is null or model_score is not null)
            from cs.health_scores
            where account_id = %s and is_active
            order by week desc
            limit 1
            """,
            (asked.account_id,),
        )
        name, is_scored = cursor.fetchone() or (None, True)
    of_account = [model for model in selection.active_models if model.model == name]
    models = of_account or selection.active_models
    bands = list(dict.fromkeys(each.band for model in models for each in model.bands))
    if band not in bands:
        whose = f" of {name}, the model that counts for '{asked.account_id}'" if of_account else ""
        raise UserError(f"There is no band '{band}'{whose}; there are: {', '.join(bands)}")
    if asked.score is None and not is_scored:
        raise UserError(f"'{asked.account_id}' has no score that a band could be of; set a score, or both")


def withdraw_override(session: Session, account_id: str, by: str, now: datetime) -> int:
    """End the account's overrides with the week that is running; returns how many there were."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.score_overrides
            set withdrawn_by = %s, withdrawn_from = greatest(%s, from_week)
            where account_id = %s and until_week >= %s and withdrawn_from is null
            """,
            (by, _week_of(now.date()), account_id, _week_of(now.date())),
        )
        return cursor.rowcount


def overrides_in_force(session: Session, now: datetime) -> pd.DataFrame:
    """Columns account_id, score, band, reason, set_by, set_at, until_week: what counts in the week that is running."""
    columns = ["account_id", "score", "band", "reason", "set_by", "set_at", "until_week"]
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select {", ".join(columns)}
            from cs.score_overrides
            where
                %(week)s between from_week and until_week
                and (withdrawn_from is null or withdrawn_from > %(week)s)
            order by account_id, override_id
            """,
            {"week": _week_of(now.date())},
        )
        return pd.DataFrame(cursor.fetchall(), columns=columns)


def _week_of(day: date) -> date:
    return day - timedelta(days=day.weekday())
