"""Weeks whose data did not arrive: the last scores are held, and marked, so that missing data lowers no score.

The product events are what should come every week. Whether they did is asked of each account that usually has some, and
every account counts alike: the calls of one, however many, say nothing of the others. When next to none has what is
usual for it, the source is stale: models that look at events keep what they said of each account the week before, and
an account of which they said nothing is not scored. What people set still counts. Triggers are not opened from held
scores.
"""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date

from adbc_driver_manager.dbapi import Connection

from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.history.scope import STORED, Schemas, Scope
from cs_pipeline.history.score_rows import NOT_SCORED
from cs_pipeline.history.week_summary import WeekSummary
from cs_pipeline.history.weeks import WEEK, execute
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.bulk import read_frame, read_table

EVERY_WEEK = "events"
"""Source that should bring rows every week."""
LOOK_BACK = 26 * WEEK
SOME_WEEKS_BEFORE = (1, 2, 3, 4, 8, 13, 26)
"""Weeks before that are looked at first: where most accounts go on as in these, the rest need not be read."""
MOST = 0.6
"""Share of the accounts with events in those weeks; with as many alive now, the week's events have arrived."""
ALIVE = 0.1
"""Share of an account's best of those weeks with which it is alive."""
WEEKS_TO_KNOW = 4
"""With fewer weeks before, nobody knows what is usual for an account."""
LEAST_SHARE = 0.15
"""With no more than this share of what is usual, on the average of accounts, a week's events have not arrived."""


def is_stale(connection: Connection, week: date, schemas: Schemas = STORED) -> bool:
    """True when accounts have next to none of the events in `week` that the half year before makes usual for them.

    Usual is an account's median over the weeks before that it was a customer in, at least four. Where that is nothing
    for every account, the number of accounts with any is compared with what it is in weeks that have some.
    """
    if _most_go_on(connection, week, schemas):
        return False  # the usual case costs a few weeks of the mart
    (found,) = read_table(connection, _share_of_usual(week, schemas)).to_pylist()
    if found["accounts"]:
        return found["share"] <= LEAST_SHARE
    in_range = f"week between date '{week - LOOK_BACK}' and date '{week}'"
    by_week = f"select week, count(*) filter (where events_7d > 0) as accounts from {schemas.account_weeks}"
    accounts = read_frame(connection, f"{by_week} where {in_range} group by week").set_index("week")["accounts"]
    before = accounts.drop(week, errors="ignore")
    return week in accounts.index and bool(accounts[week] <= LEAST_SHARE * before[before > 0].median())


def _most_go_on(connection: Connection, week: date, schemas: Schemas) -> bool:
    some = _dates([week - lag * WEEK for lag in SOME_WEEKS_BEFORE])
    (found,) = read_table(
        connection,
        f"""
        select coalesce(avg(case when now >= {ALIVE} * best then 1 else 0 end), 0)::double precision as share
        from (
            select
                max(events_7d) filter (where week = date '{week}') as now,
                max(events_7d) filter (where week <> date '{week}') as best
            from {schemas.account_weeks}
            where week in ({some}, date '{week}')
            group by account_id
        ) as accounts
        where best > 0 and now is not null
        """,
    ).to_pylist()
    return found["share"] >= MOST


def _share_of_usual(week: date, schemas: Schemas) -> str:
    """SQL: of the customers of `week` that usually have events, how many, and the share of it that they have now."""
    return f"""
        select count(*) as accounts, avg(least(now / usual, 1)) as share
        from (
            select
                max(events_7d) filter (where week = date '{week}') as now,
                percentile_cont(0.5) within group (order by events_7d) filter (where week < date '{week}') as usual
            from {schemas.account_weeks}
            where week between date '{week - LOOK_BACK}' and date '{week}'
            group by account_id
            having count(*) filter (where week < date '{week}') >= {WEEKS_TO_KNOW}
        ) as accounts
        where usual > 0 and now is not null
    """


def _dates(days: Sequence[date]) -> str:
    return ", ".join(f"date '{day}'" for day in days)


def needs_events(model: ScoreModel) -> bool:
    """True when a metric of the model comes from the product events."""
    return any(METRICS[name].source == EVERY_WEEK for name in model.metric_names)


def hold_scores(connection: Connection, model: ScoreModel, week: date, rows: str, schemas: Schemas = STORED) -> None:
    """Put what the model said the week before in place of what was just written; what has nothing is not scored.

    What people set for the week still counts. `rows` is SQL that is true for what was written, about `held`.
    """
    severities = {band.band: band.severity for band in model.bands}
    execute(
        connection,
        read_sql(__file__, "hold", scores=schemas.scores, rows=rows),
        [(week - WEEK).isoformat(), json.dumps(severities)],
    )
    without = "contributions = array_fill(0::double precision, array[cardinality(metric_values)]), "
    without += "risks = '{}', opportunities = '{}', model_score = null, model_band = null, "
    without += "weeks_in_band = null, leaning = null"
    by_hand = (
        "exists (select 1 from cs.score_overrides as o where o.override_id = held.override_id and o.score is not null)"
    )
    execute(
        connection,
        f"update {schemas.scores} as held set {without} where {rows} and held.status = 'scored' and {by_hand}",
    )
    execute(
        connection,
        f"""
        update {schemas.scores} as held
        set status = 'not_scored', score = null, band = null, severity = null, override_id = null, {without}
        where {rows} and held.status = 'scored' and not {by_hand}
        """,
    )


def recount(
    connection: Connection, models: Sequence[ScoreModel], week: date, scope: Scope, scored: WeekSummary
) -> None:
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
    for summary, of_it in (
        (scored.active, [row for row in rows if row["is_active"]]),
        *((summary, [row for row in rows if row["model"] == name]) for name, summary in scored.by_model.items()),
    ):
        summary.bands = Counter[str]()
        for row in of_it:
            summary.bands[row["band"]] += row["accounts"]
        summary.total_score = sum(row["total_score"] for row in of_it)
        summary.total_coverage = sum(row["total_coverage"] for row in of_it)
    scored.held = sum(row["held"] for row in rows if row["is_active"])
