"""Count the score changes of weeks from their rows, where slices of the accounts were compared at once."""

from collections.abc import Iterable
from datetime import date

from adbc_driver_manager.dbapi import Connection

from cs_pipeline.health.selection import Selection
from cs_pipeline.history.changes import ChangeSummary
from cs_pipeline.history.previous_scores import LOOK_BACK
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.statistics import analyze
from cs_pipeline.warehouse.bulk import read_table
from cs_pipeline.warehouse.connection import Warehouse


def conclude_changes(
    warehouse: Warehouse, selection: Selection, weeks: Iterable[date], scope: Scope
) -> list[ChangeSummary]:
    """What the changes of `weeks` came to, once `record_changes` has done every slice of the accounts in `scope`."""
    with warehouse.arrow() as connection:
        done = [_count(connection, selection, week, scope) for week in weeks]
        analyze(connection, "cs.score_changes")
    return done


def _count(connection: Connection, selection: Selection, week: date, scope: Scope) -> ChangeSummary:
    changed = ChangeSummary(week)
    for row in read_table(
        connection,
        f"""
        select
            cause,
            count(*) as changes,
            count(*) filter (where to_severity > from_severity) as worse,
            count(*) filter (where to_severity < from_severity) as better,
            count(*) filter (
                where (to_band is distinct from from_band) and to_severity is not null and from_severity is not null
            ) as changed_band
        from cs.score_changes as changes
        where week = date '{week}' and {scope.condition("changes", "changes.week")}
        group by cause
        order by cause
        """,
    ).to_pylist():
        changed.causes[row["cause"]] = row["changes"]
        changed.worse += row["worse"]
        changed.better += row["better"]
        changed.changed_band += row["changed_band"]
    of_these = ", ".join(f"'{model.version}'" for model in selection.active_models)
    (compared,) = read_table(
        connection,
        f"""
        select count(*) as accounts
        from cs.health_scores as scores
        where
            week = date '{week}'
            and is_active
            and score is not null
            and model_version in ({of_these})
            and {scope.condition("scores", "scores.week")}
            and exists (
                select 1
                from cs.health_scores as before
                where
                    before.account_id = scores.account_id
                    and before.is_active
                    and before.score is not null
                    and before.week >= date '{week - LOOK_BACK}'
                    and before.week < date '{week}'
            )
        """,
    )["accounts"].to_pylist()
    changed.compared = compared
    return changed
