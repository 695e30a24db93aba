"""CRM tasks and opportunities in the table that stands where no CRM is connected."""

from dataclasses import replace
from datetime import UTC, date, datetime

from cs_pipeline.channels.crm import CrmTableChannel
from cs_pipeline.channels.message import Message
from cs_pipeline.clock import Clock
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.messages import CRM, delivered
from tests.fakes.provider import closed_address

NOW = datetime(2026, 1, 6, 9, 30, tzinfo=UTC)


def tasks(warehouse: Warehouse) -> list[tuple[object, ...]]:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "select external_id, kind, account_id, title, body, assignee, due_on, priority, status, created_at "
            "from cs.crm_tasks"
        )
        return cursor.fetchall()


def test_a_task_is_created_as_the_message_says(warehouse: Warehouse):
    outcome = delivered(CrmTableChannel(warehouse, Clock(NOW)), CRM)
    assert (outcome.status, outcome.delivery) == ("sent", "live")
    assert tasks(warehouse) == [
        (
            CRM.action_key, "task", "acme", "Call Acme", "Find the root cause.", "olga@example.com",
            date(2026, 1, 6), "urgent", "not_started", NOW,
        )
    ]  # fmt: skip


def test_an_opportunity_is_created_like_a_task(warehouse: Warehouse):
    message = replace(CRM, payload={"kind": "opportunity"})
    delivered(CrmTableChannel(warehouse, Clock(NOW)), message)
    assert [row[1::6] for row in tasks(warehouse)] == [("opportunity", "normal")]


def test_creating_twice_changes_nothing_and_answers_alike(warehouse: Warehouse):
    channel = CrmTableChannel(warehouse, Clock(NOW))
    first = delivered(channel, CRM)
    assert delivered(channel, replace(CRM, subject="Other words")) == first
    assert [row[3] for row in tasks(warehouse)] == ["Call Acme"]


def test_a_task_is_found_by_its_key_and_no_other(warehouse: Warehouse):
    channel = CrmTableChannel(warehouse, Clock(NOW))
    outcome = delivered(channel, CRM)
    assert (channel.find(CRM).state, channel.find(CRM).provider_id) == ("found", outcome.provider_id)
    assert channel.find(replace(CRM, action_key="other")).state == "not_found"


def test_a_record_the_table_refuses_fails_in_words(warehouse: Warehouse):
    channel = CrmTableChannel(warehouse, Clock(NOW))
    for message in (replace(CRM, payload={"priority": "whenever"}), replace(CRM, subject="a\x00b")):
        outcome = delivered(channel, message)
        assert outcome.status == "failed"
        assert outcome.detail
        assert CRM.recipient not in outcome.detail  # PostgreSQL quotes the whole row
        assert CRM.body_text not in outcome.detail


def test_a_database_that_is_away_is_retried_and_cannot_be_looked_into():
    away = Warehouse(closed_address().replace("http://", "postgresql://someone:secret@") + "/nothing")
    channel = CrmTableChannel(away, Clock(NOW))
    outcome = delivered(channel, CRM)
    assert outcome.status == "retry"
    assert "secret" not in repr(outcome)
    assert channel.find(CRM).state == "cannot_look"


def test_customer_text_stays_text(warehouse: Warehouse):
    name = "Robert'); drop table cs.crm_tasks; -- %s"
    message: Message = replace(CRM, subject=name, body_text=name)
    delivered(CrmTableChannel(warehouse, Clock(NOW)), message)
    assert [row[3] for row in tasks(warehouse)] == [name]
