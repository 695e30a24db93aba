"""Whatever happens, whenever it dies: what is told is told once, and the end only to those who knew the beginning."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cs_pipeline.settings import Settings
from tests.builders.alert_readers import Readers
from tests.builders.alert_rules import DAY, START, rule
from tests.builders.company import Company
from tests.builders.fixtures import clock, company, settings

__all__ = ["clock", "company", "settings"]

ACCOUNTS = ("a0", "a1")
FOUND = st.lists(st.sampled_from(ACCOUNTS), unique=True)
DAYS = st.lists(
    st.tuples(FOUND, FOUND, st.lists(st.sampled_from(["plan", "deliver", "ack", "snooze", "hour"]), max_size=5)),
    min_size=2,
    max_size=6,
)
KEPT = "alerts, alert_changes, alert_evaluations, alert_notifications, alert_silences, triggers, actions, notices"


class Died(Exception):
    """The worker dies."""


@pytest.fixture
def people(company: Company, settings: Settings) -> Readers:
    company.accounts(2)
    return Readers(
        company,
        settings,
        rule("urgent", severity="urgent", remind_every="2 days", escalate={"after": "1 day", "to": "manager"}),
        rule("calm", again_after="3 days", remind_every="3 days"),
    )


@hypothesis_settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=DAYS)
def test_what_is_told_is_told_once_and_its_end_to_those_who_knew(people: Readers, days: list[tuple]) -> None:
    people.run(", ".join(f"cs.{name}" for name in KEPT.split(", ")).join(("truncate ", " cascade")))
    people.at(START - DAY)
    people.run("delete from found")
    people.begin()
    for urgent, calm, acts in days:
        people.find(*urgent, rule="urgent")
        people.find(*calm, rule="calm")
        people.evaluate()
        before = people.now
        for act in acts:
            ACTS[act](people)
        people.now = max(people.now, before + timedelta(hours=2))
        people.plan()
        people.plan()
        people.deliver()
        people.now = before
    told = people.run(
        "select alert_id, fired_at, recipient, kind, nth, notice_id, created_at from cs.alert_notifications "
        "where notice_id is not null order by notification_id"
    )
    begun = {(alert_id, fired_at, recipient) for alert_id, fired_at, recipient, kind, *_ in told if kind in BEGINS}
    assert len({row[:5] for row in told}) == len(told)
    for alert_id, fired_at, recipient, kind, *_ in told:
        assert kind in BEGINS or (alert_id, fired_at, recipient) in begun
    sent = people.run(
        "select notice_id, count(*) filter (where status = 'sent') from cs.actions where playbook = 'alerts' group by 1"
    )
    assert all(count <= 1 for _, count in sent), "by one way only"
    digests = people.run(
        "select recipient, due_at::date, count(distinct notice_id) from cs.alert_notifications "
        "where is_in_digest and notice_id is not null group by 1, 2"
    )
    assert all(count == 1 for *_, count in digests)
    untold = people.run(
        """
        select entity from cs.alerts where state = 'firing' and told_at is not null and acknowledged_at is null
        and snoozed_until is null and not exists (
            select 1 from cs.alert_notifications as told where told.alert_id = alerts.alert_id
        )
        """
    )
    assert untold == [], "nothing is lost"


BEGINS = ("new", "escalation")
ACTS: dict[str, Callable[[Readers], object]] = {
    "plan": Readers.plan,
    "deliver": Readers.deliver,
    "ack": lambda people: people.run(
        "update cs.alerts set acknowledged_at = %s, acknowledged_by = 'olga' where state = 'firing'", people.now
    ),
    "snooze": lambda people: people.run(
        "update cs.alerts set snoozed_until = %s, snooze_reason = 'later' where state = 'firing'", people.now + DAY
    ),
    "hour": lambda people: people.at(people.now + timedelta(hours=1)),
}


@pytest.mark.parametrize("dies_in", ["notify_all", "mark"])
def test_a_worker_that_dies_while_planning_leaves_nothing_half_done(
    people: Readers, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    people.find("a0", rule="urgent")
    people.evaluate()

    def die(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(f"cs_pipeline.alerts.{'sending.notify_all' if dies_in == 'notify_all' else 'waiting.mark'}", die)
        with pytest.raises(Died):
            people.plan()
    assert people.run("select count(*) from cs.actions where playbook = 'alerts'") == [(0,)]
    people.plan()
    people.plan()
    people.deliver()
    assert people.read() == ["Urgent: A0: a0 is at 2"]
