"""Plan a task in the CRM for each item that a rule with `task_for` took, beside the message to those who receive it.

A task is a notice of the outbox like the messages, of one account; its key is the item, so there is never a second.
"""

from datetime import datetime

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.alerts.directory import Directory, Teams
from cs_pipeline.alerts.team_file import load_directory
from cs_pipeline.errors import UserError
from cs_pipeline.feedback.definition import RoutingBook
from cs_pipeline.feedback.messages import PLAYBOOK, currency_of, item_line
from cs_pipeline.plays.outbox.operations import Notice, Reader, notify_all
from cs_pipeline.settings import Settings
from cs_pipeline.sql_files import read_sql

STEP = "task"


def plan_tasks(cursor: Cursor, book: RoutingBook, settings: Settings, now: datetime) -> int:
    """Plan tasks for the temporary table `routed_now`, and note them in the ledger; returns how many.

    An item of an account for which nobody is named gets none. Raises UserError where a team is to have a task and has
    no address.
    """
    asked = {rule.rule: rule.task_for for rule in book.rules if rule.task_for}
    if not asked:
        return 0
    directory = load_directory(settings.config)
    cursor.execute(
        read_sql(__file__),
        {
            "rules": list(asked),
            "roles": list(asked.values()),
            "addresses": [_address(rule, role, directory) for rule, role in asked.items()],
        },
    )
    names = [column.name for column in cursor.description or ()]
    currency = currency_of(settings)
    items: dict[str, tuple[str, str]] = {}
    notices: list[Notice] = []
    for row in (dict(zip(names, values, strict=True)) for values in cursor.fetchall()):
        rule = book.named(row["rule"])
        key = f"feedback/task/{row['said_in']}:{row['source_id']}"
        items[key] = (row["said_in"], row["source_id"])
        notices.append(
            Notice(
                key=key,
                subject=f"{rule.title if rule else row['rule']}: {row['account_name'] or row['account_id']}",
                text=item_line(row, book, settings, currency),
                account_id=row["account_id"],
                playbook=PLAYBOOK,
                step=STEP,
                to=Reader(row["role"], (("crm", row["assignee"]),)),
            )
        )
    ids = notify_all(cursor.connection, notices, settings, now)
    cursor.execute(
        _NOTE,
        {
            "said_in": [items[key][0] for key in ids],
            "source_id": [items[key][1] for key in ids],
            "notices": list(ids.values()),
        },
    )
    return len(ids)


def _address(rule: str, role: str, directory: Directory) -> str | None:
    """The address of a team or a person; None for those whom accounts name."""
    if role not in Teams.model_fields:
        return role if "@" in role else None
    address = getattr(directory.teams, role).email
    if address is None:
        raise UserError(
            f"routing.yaml: rule {rule} has a task for {role}, a team without an address; "
            f"name one in alerts.yaml (teams: {{{role}: {{email: …}}}})"
        )
    return address


_NOTE = """
update cs.routed_feedback as ledger
set action_ids = ledger.action_ids || actions.action_id
from unnest(%(said_in)s::text[], %(source_id)s::text[], %(notices)s::bigint[])
    as planned (said_in, source_id, notice_id)
inner join cs.actions as actions on planned.notice_id = actions.notice_id
where ledger.said_in = planned.said_in and ledger.source_id = planned.source_id
"""
