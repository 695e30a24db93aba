"""One action, told back to where it comes from: message, play, trigger, score, model version, and the rows loaded.

Reads only. How a score is told is in `reports.scores.account_story`.
"""

from dataclasses import dataclass
from datetime import date

import pandas as pd
from psycopg2 import sql
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.plays.reasons import meaning
from cs_pipeline.reports.scores.account_story import Story, tell_story
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import LOAD_ID, SCHEMA


@dataclass(frozen=True)
class ActionStory:
    """From the message back to its cause; `score` is None where none was known when the play began."""

    of_action: list[str]
    tables_of_action: dict[str, pd.DataFrame]
    score: Story | None

    @property
    def paragraphs(self) -> list[str]:
        """All that is told, that of the score last."""
        return [*self.of_action, *(self.score.paragraphs if self.score else ())]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """By title; those of the score last."""
        return {**self.tables_of_action, **(self.score.tables if self.score else {})}


def tell_action(warehouse: Warehouse, action_id: int) -> ActionStory:
    """The story of an action. Raises UserError when there is none of that id."""
    with warehouse.session() as session:
        rows = _frame(session, _ACTION, {"action_id": action_id}).to_dict("records")
        if not rows:
            _refuse_a_notice(session, action_id)
            raise UserError(f"There is no action {action_id}; `cs-pipeline action list` lists those that wait")
        row = rows[0]
        tables = {
            "Attempts": _frame(session, _ATTEMPTS, {"action_id": action_id}),
            "What people decided": _frame(session, _DECISIONS, {"action_id": action_id}),
            "Where its account's rows came from": _source_rows(session, row["account_id"], row["newest_load_id"]),
        }
    week = row["score_week"]
    score = tell_story(warehouse, row["account_id"], week) if isinstance(week, date) else None
    return ActionStory([_about_action(row), _about_play(row), _about_trigger(row), _about_score(row)], tables, score)


def _refuse_a_notice(session: Session, action_id: int) -> None:
    found = _frame(session, _NOTICE, {"action_id": action_id}).to_dict("records")
    if found:
        raise UserError(f"Action {action_id} is of no play: it tells operations '{found[0]['subject']}'")


_NOTICE = """
select notices.subject
from cs.actions
inner join cs.notices using (notice_id)
where actions.action_id = %(action_id)s
"""

_ACTION = read_sql(__file__)

_ATTEMPTS = """
select attempt, claimed_at, recorded_at, outcome, detail
from cs.action_attempts
where action_id = %(action_id)s
order by attempt
"""

_DECISIONS = """
select decision, status_before, coalesce(reason_before, '') as reason_before, decided_by, decided_at
from cs.action_decisions
where action_id = %(action_id)s
order by decision_id
"""


def _about_action(row: dict) -> str:
    went = f" ({row['delivery']})" if row["delivery"] else ""
    why = f": {meaning(row['reason'])}" if row["reason"] else ""
    told = (
        f"Action {row['action_id']} is step {row['step']} of {row['playbook']}, in {row['channel']}, for the "
        f"{row['role'].replace('_', ' ')} of {row['account_id']}. It is {row['status']}{went}{why}."
    )
    if row["sent_at"] is not None and not pd.isna(row["sent_at"]):
        told += f" It went out on {row['sent_at']:%Y-%m-%d %H:%M} UTC; the provider calls it {row['provider_id']}."
    return f"{told} Its key is {row['action_key']}."


def _about_play(row: dict) -> str:
    why = f", {meaning(row['play_reason'])}" if row["play_reason"] else ""
    return (
        f"The play is {row['title']}, version {row['playbook_version']}; the account entered it on "
        f"{row['enrolled_at']:%Y-%m-%d %H:%M} UTC and the play is {row['play_status']}{why}."
    )


def _about_trigger(row: dict) -> str:
    return (
        f"It was started by a {row['kind'].replace('_', ' ')} of {row['occurred_at']:%Y-%m-%d %H:%M} UTC "
        f"({row['trigger_key']}), which knew: {row['facts']}."
    )


def _about_score(row: dict) -> str:
    if not isinstance(row["score_week"], date):
        return "The account had no score when the play began."
    told = (
        f"The score then was that of the week {row['score_week']}, by {row['model']}, version {row['model_version']}."
    )
    if pd.isna(row["newest_load_id"]):
        return told
    return (
        f"{told} It was last computed on {row['scored_at']:%Y-%m-%d %H:%M} UTC, after load {row['newest_load_id']:.0f}."
    )


def _source_rows(session: Session, account_id: str, newest_load_id: float | None) -> pd.DataFrame:
    """Rows of the account by source table and load, as far as they were there; columns table, load, rows, origin."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select table_name
            from information_schema.columns
            where table_schema = %s and column_name in ('account_id', %s)
            group by table_name
            having count(*) = 2
            order by table_name
            """,
            [SCHEMA, LOAD_ID],
        )
        tables = [name for (name,) in cursor.fetchall()]
        parts = [
            sql.SQL(
                "select {} as source_table, {load_id} as load_id, count(*) as account_rows from {} "
                "where account_id = %(account_id)s group by {load_id}"
            ).format(sql.Literal(name), sql.Identifier(SCHEMA, name), load_id=sql.Identifier(LOAD_ID))
            for name in tables
        ]
        columns = ["table", "load", "rows", "origin", "loaded_at"]
        if not parts:
            return pd.DataFrame(columns=columns)
        cursor.execute(
            sql.SQL(
                "select found.source_table, found.load_id, found.account_rows, loads.origin, loads.finished_at "
                "from ({}) as found left join cs.loads using (load_id) "
                "where %(newest)s::bigint is null or found.load_id <= %(newest)s::bigint order by 1, 2"
            ).format(sql.SQL(" union all ").join(parts)),
            {
                "account_id": account_id,
                "newest": None if newest_load_id is None or pd.isna(newest_load_id) else int(newest_load_id),
            },
        )
        return pd.DataFrame(cursor.fetchall(), columns=columns)


def _frame(session: Session, statement: str, parameters: dict[str, object]) -> pd.DataFrame:
    with session.cursor() as cursor:
        cursor.execute(statement, parameters)
        columns = [column.name for column in cursor.description or ()]
        return pd.DataFrame(cursor.fetchall(), columns=columns, dtype="object")
