"""Follow what became of tasks and opportunities: read back from the CRM, or said by a person (S4-187).

All that is known is in the view `cs.task_status`, whichever CRM it is of. Where no CRM is connected, tasks stand in
`cs.crm_tasks`, and a person says which are done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.channels.crm_api import ConnectedCrm, RecordReading, record_name
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse


@dataclass(frozen=True)
class ReadBack:
    """What one reading found: records asked for, and how many of them are completed, or gone."""

    asked: int
    completed: int
    removed: int


def read_back(warehouse: Warehouse, crm: ConnectedCrm, now: datetime, *, again: bool = False) -> ReadBack:
    """Ask the CRM for every record that was open when it was last asked, and keep what it says.

    `again`: for the others, too, which somebody may have reopened. Raises UserError when the CRM cannot be read; what
    was known stays.
    """
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "select kind, task_id, action_key from cs.task_status where crm = %s and (status = 'open' or %s)",
            [crm.name, again],
        )
        keys = {record_name(crm.name, kind, task_id): str(key) for kind, task_id, key in cursor.fetchall()}
    if not keys:
        return ReadBack(0, 0, 0)
    readings = {keys[name]: reading for name, reading in crm.read(list(keys)).items() if name in keys}
    with warehouse.session() as session:
        _keep(session, readings, now)
    states = [reading.status for reading in readings.values()]
    return ReadBack(len(keys), states.count("completed"), states.count("removed"))


def complete(session: Session, task_ids: Sequence[int], by: str, now: datetime) -> int:
    """Note that tasks of `cs.crm_tasks` are done; returns how many were not yet.

    Raises UserError, and notes nothing, when there is no such task.
    """
    with session.cursor() as cursor:
        cursor.execute("select task_id from cs.crm_tasks where task_id = any(%s)", [list(task_ids)])
        unknown = sorted({*task_ids} - {task_id for (task_id,) in cursor.fetchall()})
        if unknown:
            raise UserError(
                f"There is no task {', '.join(map(str, unknown))}; `cs-pipeline task list` lists those here. "
                "Tasks of a connected CRM are completed there, and read back."
            )
        cursor.execute(
            """
            update cs.crm_tasks
            set status = 'completed', completed_at = %s, completed_by = %s
            where task_id = any(%s) and status <> 'completed'
            """,
            [now, by, list(task_ids)],
        )
        return cursor.rowcount


def open_tasks(session: Session, assignee: str | None = None) -> pd.DataFrame:
    """Open records of `cs.crm_tasks`, of one assignee (an address) or of all: task_id, due_on, priority, assignee,
    account_id, title; what is due first comes first."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select task_id, due_on, priority, assignee, account_id, title
            from cs.crm_tasks
            where status <> 'completed' and (%(assignee)s::text is null or lower(assignee) = lower(%(assignee)s))
            order by due_on, task_id
            """,
            {"assignee": assignee},
        )
        columns = ["task_id", "due_on", "priority", "assignee", "account_id", "title"]
        return pd.DataFrame(cursor.fetchall(), columns=columns)


def status_by_crm(session: Session) -> pd.DataFrame:
    """Records by crm and kind: how many are open, completed and removed, and when they were last read."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select
                crm,
                kind,
                count(*) filter (where status = 'open') as open,
                count(*) filter (where status = 'completed') as completed,
                count(*) filter (where status = 'removed') as removed,
                max(read_at) as read_at
            from cs.task_status
            group by crm, kind
            order by crm, kind
            """
        )
        columns = ["crm", "kind", "open", "completed", "removed", "read_at"]
        return pd.DataFrame(cursor.fetchall(), columns=columns)


def _keep(session: Session, readings: Mapping[str, RecordReading], now: datetime) -> None:
    with session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.crm_readings (action_key, status, assignee, due_on, completed_at, read_at)
            select action_key, status, assignee, due_on, completed_at, %(now)s
            from
                unnest(
                    %(keys)s::text[], %(statuses)s::text[], %(assignees)s::text[], %(days)s::date[],
                    %(moments)s::timestamptz[]
                ) as said (action_key, status, assignee, due_on, completed_at)
            on conflict (action_key) do update set
                status = excluded.status,
                assignee = excluded.assignee,
                due_on = excluded.due_on,
                completed_at = excluded.completed_at,
                read_at = excluded.read_at
            where crm_readings.read_at <= excluded.read_at
            """,
            {
                "keys": list(readings),
                "statuses": [reading.status for reading in readings.values()],
                "assignees": [reading.assignee for reading in readings.values()],
                "days": [reading.due_on for reading in readings.values()],
                "moments": [reading.completed_at for reading in readings.values()],
                "now": now,
            },
        )
