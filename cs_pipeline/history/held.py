"""Weeks whose data did not arrive: the last scores are held, and marked, so that silence is not taken for illness.

The product events are what should come every week. When no account has any in a week, though there were some in the
weeks before, the source is stale: models that look at events keep each account's score of the week before, and an
account that has none is not scored. Triggers are not opened from held scores, for nothing changes in them.
"""

from collections import Counter
from datetime import date

from adbc_driver_manager.dbapi import Connection

from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.history.place import STORED, Place
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.score_rows import NOT_SCORED
from cs_pipeline.history.tally import WeekScored
from cs_pipeline.history.weeks import WEEK, execute
from cs_pipeline.warehouse.bulk import read_table

EVERY_WEEK = "events"
"""Source that should bring rows every week."""
LOOK_BACK = 4 * WEEK

_COPIED = (
    "score", "band", "severity", "coverage", "metric_values", "points", "contributions", "points_lost_to_cap",
    "dimension_scores", "risks", "opportunities", "carried", "model_score", "model_band", "override_id",
    "weeks_in_band", "leaning",
)  # fmt: skip


def is_stale(connection: Connection, week: date, place: Place = STORED) -> bool:
    """True when no account has an event in `week`, though some had in the four weeks before."""
    row = read_table(
        connection,
        f"""
        select
            max(events_7d) filter (where week = date '{week}') = 0
            and max(events_7d) filter (where week < date '{week}') > 0 as is_stale
        from {place.account_weeks}
        where week between date '{week - LOOK_BACK}' and date '{week}'
        """,
    )
    return bool(row["is_stale"][0].as_py())


def needs_events(model: ScoreModel) -> bool:
    """True when a metric of the model comes from the product events."""
    return any(METRICS[name].source == EVERY_WEEK for name in model.metric_names)


def hold(connection: Connection, week: date, rows: str, place: Place = STORED) -> None:
    """Put the scores of the week before in place of those just written; what has none to hold is not scored.

    `rows` is SQL that is true for what was written, about `held`.
    """
    execute(
        connection,
        f"""
        update {place.scores} as held
        set
            status = 'held',
            held_from = coalesce(before.held_from, before.week),
            {", ".join(f"{column} = before.{column}" for column in _COPIED)}
        from {place.scores} as before
        where
            {rows}
            and before.account_id = held.account_id
            and before.week = date '{week - WEEK}'
            and before.model = held.model
            and before.model_version = held.model_version
            and before.score is not null
        """,
    )
    execute(
        connection,
        f"""
        update {place.scores} as held
        set
            status = 'not_scored', score = null, band = null, severity = null, risks = '{{}}', opportunities = '{{}}',
            contributions = array_fill(0::double precision, array[cardinality(metric_values)]),
            model_score = null, model_band = null, override_id = null, weeks_in_band = null, leaning = null
        where {rows} and held.status = 'scored'
        """,
    )


def recount(connection: Connection, week: date, scope: Scope, scored: WeekScored) -> None:
    """Put into `scored` what counts after scores were held."""
    rows = read_table(
        connection,
        f"""
        select
            coalesce(band, '{NOT_SCORED}') as band,
            count(*) as accounts,
            coalesce(sum(score), 0) as total_score,
            count(*) filter (where status = 'held') as held
        from cs.health_scores as held
        where week = date '{week}' and is_active and {scope.condition("held", "held.week")}
        group by 1
        """,
    ).to_pylist()
    scored.active.bands = Counter({row["band"]: row["accounts"] for row in rows})
    scored.active.total_score = sum(row["total_score"] for row in rows)
    scored.held = sum(row["held"] for row in rows)
