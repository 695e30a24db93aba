"""Keep enrolments and their actions in PostgreSQL: `cs.enrolments` and `cs.actions`, in the caller's transaction.

How an action that is due moves on belongs to `outbox`.
"""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from psycopg2.extensions import connection as Session
from psycopg2.extras import execute_values

from cs_pipeline.plays.enrolment.play_store import (
    ABOUT_COLUMNS,
    MAILED_COLUMNS,
    PLANNED_COLUMNS,
    SIBLING_COLUMNS,
    STATE_COLUMNS,
)
from cs_pipeline.plays.outbox.lock import change_in_order
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.sql_files import read_sql

_STATE = read_sql(__file__, "state")
_DONE = read_sql(__file__, "done")
_ENROL = """
insert into cs.enrolments (
    playbook, playbook_version, family, account_id, trigger_id, subject_id, subscription_id, user_id, anchor_on,
    status, reason, enrolled_at, ended_at
)
select
    decided.playbook, decided.playbook_version, decided.family, triggers.account_id,
    triggers.trigger_id, triggers.subject_id,
    case when triggers.kind = 'renewal_window' then triggers.subject_id end,
    case when decided.is_about_user then coalesce(triggers.facts ->> 'user_id', triggers.subject_id) end,
    triggers.anchor_on,
    decided.status, decided.reason, decided.enrolled_at, decided.ended_at::timestamptz
from (values %s) as decided (
    playbook, playbook_version, family, is_about_user, status, reason, enrolled_at, ended_at, trigger_id
)
inner join cs.triggers using (trigger_id)
returning trigger_id, enrolment_id
"""


class PostgresStore:
    """A `PlayStore` in our own tables."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def state(self, playbook: Playbook, offered: pd.DataFrame, now: datetime) -> pd.DataFrame:
        """As `PlayStore.state`."""
        parameters = {
            "playbook": playbook.playbook,
            "family": playbook.family,
            "priority": playbook.priority,
            "reentry_after_days": playbook.reentry_after_days,
            "now": now,
            "account_ids": offered["account_id"].tolist(),
            "subject_ids": offered["subject_id"].tolist(),
            "user_ids": offered["user_id"].tolist(),
        }
        return self._frame(_STATE, parameters, STATE_COLUMNS).set_index(offered.index).astype("bool")

    def in_family(self, playbook: Playbook, entering: pd.DataFrame) -> list[int]:
        """As `PlayStore.in_family`."""
        with self._session.cursor() as cursor:
            cursor.execute(
                """
                select distinct enrolments.enrolment_id
                from cs.enrolments
                inner join unnest(%s::text[], %s::text[], %s::text[]) as entering (account_id, subject_id, user_id)
                    on
                        enrolments.account_id = entering.account_id
                        and coalesce(enrolments.subscription_id = entering.subject_id, true)
                        and coalesce(enrolments.user_id = entering.user_id, true)
                where enrolments.family = %s and enrolments.status = 'active'
                """,
                [*(entering[column].tolist() for column in ABOUT_COLUMNS), playbook.family],
            )
            return [enrolment_id for (enrolment_id,) in cursor.fetchall()]

    def enrol(self, playbook: Playbook, decided: pd.DataFrame, now: datetime) -> pd.Series:
        """As `PlayStore.enrol`."""
        if decided.empty:
            return pd.Series(dtype="object")
        of_play = (playbook.playbook, playbook.version, playbook.family, playbook.is_about_user)
        rows = [
            (*of_play, "active", None, now, None, trigger_id)
            if reason is pd.NA
            else (*of_play, "refused", reason, now, now, trigger_id)
            for trigger_id, reason in zip(decided["trigger_id"], decided["reason"], strict=True)
        ]
        with self._session.cursor() as cursor:
            written = execute_values(
                cursor,
                _ENROL,
                rows,
                template="(%s, %s, %s, %s, %s, %s::text, %s::timestamptz, %s::timestamptz, %s::bigint)",
                page_size=10_000,
                fetch=True,
            )
        return decided["trigger_id"].map(dict(written))

    def plan(self, actions: pd.DataFrame) -> None:
        """As `PlayStore.plan`."""
        rows = actions[list(PLANNED_COLUMNS)].astype("object")
        with self._session.cursor() as cursor:
            execute_values(
                cursor,
                f"insert into cs.actions ({', '.join(PLANNED_COLUMNS)}) values %s",
                rows.where(rows.notna(), None).itertuples(index=False, name=None),
                page_size=1_000,
            )

    def end(self, reasons: pd.Series, now: datetime) -> None:
        """As `PlayStore.end`."""
        if reasons.empty:
            return
        change_in_order(self._session)
        parameters = {"ids": reasons.index.tolist(), "reasons": reasons.tolist(), "now": now}
        with self._session.cursor() as cursor:
            cursor.execute(
                """
                update cs.enrolments
                set status = 'exited', reason = ended.reason, ended_at = %(now)s
                from unnest(%(ids)s::bigint[], %(reasons)s::text[]) as ended (enrolment_id, reason)
                where enrolments.enrolment_id = ended.enrolment_id and enrolments.status = 'active'
                """,
                parameters,
            )
            cursor.execute(
                """
                update cs.actions
                set status = 'cancelled', reason = enrolments.reason
                from cs.enrolments
                where
                    actions.enrolment_id = enrolments.enrolment_id
                    and enrolments.enrolment_id = any(%(ids)s::bigint[])
                    and enrolments.status = 'exited'
                    and actions.status in ('planned', 'awaiting_approval')
                """,
                parameters,
            )

    def complete(self, now: datetime, enrolment_ids: Sequence[int]) -> int:
        """Complete those of the enrolments that are active and have nothing left to do; returns how many.

        An uncertain action counts as left until it is stale: until then it may turn out not to have been sent.
        """
        with self._session.cursor() as cursor:
            asked = {"now": now, "enrolment_ids": list(enrolment_ids)}
            cursor.execute(_DONE, asked)
            if not cursor.rowcount:  # mostly: the outbox is locked only where there is something to change
                return 0
            change_in_order(self._session)
            cursor.execute(
                f"update cs.enrolments set status = 'completed', ended_at = %(now)s where enrolment_id in ({_DONE})",
                asked,
            )
            return cursor.rowcount

    def siblings(self, enrolment_ids: Sequence[int]) -> pd.DataFrame:
        """As `PlayStore.siblings`."""
        sql = """
            select
                enrolment_id, action_id, step, channel, role, recipient, status, due_at, sent_at,
                resent_at is not null and status = 'planned' as is_resent
            from cs.actions
            where enrolment_id = any(%(enrolment_ids)s::bigint[])
            order by action_id
        """
        return self._frame(sql, {"enrolment_ids": list(enrolment_ids)}, SIBLING_COLUMNS)

    def mailed(self, account_ids: Sequence[str], playbooks: Sequence[str]) -> pd.DataFrame:
        """As `PlayStore.mailed`."""
        sql = """
            select
                actions.account_id, actions.playbook, actions.step, enrolments.subscription_id, max(actions.due_at)
            from cs.actions
            inner join cs.enrolments using (enrolment_id)
            where
                actions.account_id = any(%(account_ids)s::text[])
                and actions.playbook = any(%(playbooks)s::text[])
                and actions.status in ('claimed', 'sent', 'uncertain')
                and enrolments.subscription_id is not null
            group by actions.account_id, actions.playbook, actions.step, enrolments.subscription_id
        """
        return self._frame(sql, {"account_ids": list(account_ids), "playbooks": list(playbooks)}, MAILED_COLUMNS)

    def _frame(self, sql: str, parameters: dict[str, object], columns: Sequence[str]) -> pd.DataFrame:
        with self._session.cursor() as cursor:
            cursor.execute(sql, parameters)
            return pd.DataFrame(cursor.fetchall(), columns=list(columns), dtype="object")
