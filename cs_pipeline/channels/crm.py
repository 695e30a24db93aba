"""Create CRM tasks and opportunities in our own table, and define the record that every CRM is given.

An adapter for another CRM is one more channel over the same `CrmRecord`, idempotent by its external id. Reports on
tasks, and closing them, are elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Self

import psycopg2
from psycopg2.extras import execute_values

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.http import redacted
from cs_pipeline.channels.message import LookupResult, Message, Outcome
from cs_pipeline.channels.refusals import RETRY_SOON
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse, without_rows


@dataclass(frozen=True)
class CrmRecord:
    """A task or an opportunity. `external_id` is the action key: creating it twice changes nothing."""

    external_id: str
    kind: str
    account_id: str
    title: str
    body: str
    assignee: str
    due_on: date
    priority: str

    @classmethod
    def of(cls, message: Message) -> Self:
        """The record that a CRM message asks for; kind 'task' and priority 'normal' where its payload says nothing."""
        return cls(
            external_id=message.action_key,
            kind=str(message.payload.get("kind", "task")),
            account_id=message.account_id,
            title=message.subject,
            body=message.body_text,
            assignee=message.recipient,
            due_on=message.due_on,
            priority=str(message.payload.get("priority", "normal")),
        )


COLUMNS = tuple(field.name for field in fields(CrmRecord))


class CrmTableChannel(BaseChannel):
    """Writes to `cs.crm_tasks`. Nothing leaves the machine, so it delivers alike in every mode."""

    name = "crm"
    batch_size = 1_000

    def __init__(self, warehouse: Warehouse, clock: Clock) -> None:
        self._warehouse = warehouse
        self._clock = clock

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Create each record unless its action key has one; `provider_id` is its task id either way."""
        try:
            task_ids = self._create([CrmRecord.of(message) for message in messages])
        except (psycopg2.OperationalError, psycopg2.InterfaceError, UserError) as error:
            # Repeating is safe whatever happened: the external id is unique.
            later = Outcome("retry", detail=redacted(without_rows(error), without=()), retry_after=RETRY_SOON)
            return [later] * len(messages)
        except (psycopg2.Error, ValueError) as error:  # ValueError: text that PostgreSQL cannot hold, such as NUL
            if len(messages) > 1:
                return [self.deliver([message])[0] for message in messages]
            return [Outcome("failed", detail=redacted(without_rows(error), without=()))]
        return [Outcome("sent", provider_id=task_ids.get(message.action_key)) for message in messages]

    def _create(self, records: Sequence[CrmRecord]) -> dict[str, str]:
        """Task ids by external id, of new records and of those that were there."""
        now = self._clock.now()
        with self._warehouse.session() as session, session.cursor() as cursor:
            execute_values(
                cursor,
                f"""
                insert into cs.crm_tasks ({", ".join(COLUMNS)}, created_at)
                values %s
                on conflict (external_id) do nothing
                """,
                [(*(getattr(record, column) for column in COLUMNS), now) for record in records],
            )
            cursor.execute(
                "select external_id, task_id::text from cs.crm_tasks where external_id = any(%s)",
                [[record.external_id for record in records]],
            )
            return dict(cursor.fetchall())

    def find(self, message: Message) -> LookupResult:
        """Look the action key up among the external ids."""
        try:
            with self._warehouse.session() as session, session.cursor() as cursor:
                cursor.execute("select task_id from cs.crm_tasks where external_id = %s", [message.action_key])
                row = cursor.fetchone()
        except (psycopg2.Error, UserError) as error:
            return LookupResult("cannot_look", detail=redacted(without_rows(error), without=()))
        return LookupResult("not_found") if row is None else LookupResult("found", provider_id=str(row[0]))
