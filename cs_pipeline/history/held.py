"""Weeks whose data did not arrive: the last scores are held, and marked, so that silence is not taken for illness.

The product events are what should come every week. When next to none did, measured by the weeks before, the source is
stale: models that look at events keep what they said of each account the week before, and an account of which they
said nothing is not scored. What people set still counts. Triggers are not opened from held scores.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from adbc_driver_manager.dbapi import Connection

from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.history.place import STORED, Place
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.score_rows import NOT_SCORED
from cs_pipeline.history.tally import WeekScored
from cs_pipeline.history.weeks import WEEK, execute
from cs_pipeline.warehouse.bulk import read_frame, read_table

EVERY_WEEK = "events"
"""Source that should bring rows every week."""
LOOK_BACK = 26 * WEEK
SOME_WEEKS_BEFORE = (1, 2, 3, 4, 8, 13, 26)
"""Weeks before that are looked at first: where this one is no smaller, the rest need not be read."""
LEAST_SHARE = 0.05
"""With less than this share of the usual events (the median of the weeks that had any) a week's have not arrived."""

_COPIED = (
    "coverage", "metric_values", "points", "contributions", "points_lost_to_cap", "dimension_scores", "risks",
    "opportunities", "carried", "weeks_in_band", "leaning",
)  # fmt: skip


def is_stale(connection: Connection, week: date, place: Place = STORED) -> bool:
    """True when `week` has next to no events, measured by the weeks before it that had any."""
    some = [week - lag * WEEK for lag in SOME_WEEKS_BEFORE]
    some_before = read_frame(connection, _events_by_week(place, f"week in ({_dates([*some, week])})"))
    events = some_before.set_index("week")["events"].dropna()
    if week not in events.index or events[week] >= LEAST_SHARE * events.drop(week).max() > 0:
        return False  # the usual case costs a few weeks of the mart
    in_range = f"week >= date '{week - LOOK_BACK}' and week < date '{week}'"
    before = read_frame(connection, _events_by_week(place, in_range))["events"]
    usual = before[before > 0].median()
    return bool(events[week] < LEAST_SHARE * usual)


def _events_by_week(place: Place, weeks: str) -> str:
    return f"select week, sum(events_7d) as events from {place.account_weeks} where {weeks} group by week"


def _dates(days: Sequence[date]) -> str:
    return ", ".join(f"date '{day}'" for day in days)


def needs_events(model: ScoreModel) -> bool:
    """True when a metric of the model comes from the product events."""
    return any(METRICS[name].source == EVERY_WEEK for name in model.metric_names)


def hold(connection: Connection, model: ScoreModel, week: date, rows: str, place: Place = STORED) -> None:
    """Put what the model said the week before in place of what was just written; what has nothing is not scored.

    What people set for the week still counts. `rows` is SQL that is true for what was written, about `held`.
    """
    severities = " ".join(
        f"when '{band.band.replace(chr(39), chr(39) * 2)}' then {band.severity}" for band in model.bands
    )
    execute(
        connection,
        f"""
        update {place.scores} as held
        set
            status = 'held',
            held_from = coalesce(before.held_from, before.week),
            score = coalesce(
                (select score_overrides.score from cs.score_overrides where override_id = held.override_id), before.said
            ),
            band = case when held.override_id is null then before.said_band else held.band end,
            severity = case when held.override_id is null then before.said_severity else held.severity end,
            model_score = case when held.override_id is not null then before.said end,
            model_band = case when held.override_id is not null then before.said_band end,
            {", ".join(f"{column} = before.{column}" for column in _COPIED)}
        from (
            select
                scores.*,
                case when override_id is null then score else model_score end as said,
                case when override_id is null then band else model_band end as said_band,
                case when override_id is null then severity else case model_band {severities} end end as said_severity
            from {place.scores} as scores
            where scores.week = date '{week - WEEK}'
        ) as before
        where
            {rows}
            and before.account_id = held.account_id
            and before.model = held.model
            and before.model_version = held.model_version
            and before.said is not null
        """,
    )
    without = "contributions = array_fill(0::double precision, array[cardinality(metric_values)]), "
    without += "risks = '{}', opportunities = '{}', model_score = null, model_band = null, "
    without += "weeks_in_band = null, leaning = null"
    by_hand = (
        "exists (select 1 from cs.score_overrides as o where o.override_id = held.override_id and o.score is not null)"
    )
    execute(
        connection,
        f"update {place.scores} as held set {without} where {rows} and held.status = 'scored' and {by_hand}",
    )
    execute(
        connection,
        f"""
        update {place.scores} as held
        set status = 'not_scored', score = null, band = null, severity = null, override_id = null, {without}
        where {rows} and held.status = 'scored' and not {by_hand}
        """,
    )


def recount(connection: Connection, models: Sequence[ScoreModel], week: date, scope: Scope, scored: WeekScored) -> None:
    """Put into `scored` what stands in the week's rows after scores were held."""
    rows = read_table(
        connection,
        f"""
        select
            model,
            is_active,
            coalesce(band, '{NOT_SCORED}') as band,
            count(*) as accounts,
            coalesce(sum(score), 0) as total_score,
            sum(coverage) as total_coverage,
            count(*) filter (where status = 'held') as held
        from cs.health_scores as held
        where
            (model, model_version) in ({", ".join(f"('{model.model}', '{model.version}')" for model in models)}) and
            week = date '{week}'
            and {scope.condition("held", "held.week")}
        group by model, is_active, 3
        """,
    ).to_pylist()
    for tally, of_it in (
        (scored.active, [row for row in rows if row["is_active"]]),
        *((tally, [row for row in rows if row["model"] == name]) for name, tally in scored.by_model.items()),
    ):
        tally.bands = Counter[str]()
        for row in of_it:
            tally.bands[row["band"]] += row["accounts"]
        tally.total_score = sum(row["total_score"] for row in of_it)
        tally.total_coverage = sum(row["total_coverage"] for row in of_it)
    scored.held = sum(row["held"] for row in rows if row["is_active"])
