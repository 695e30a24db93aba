"""A tick reads what is new, however many triggers of the week are decided, and misses none that is committed late."""

from datetime import timedelta

import pytest

from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.triggers.dispatch import offer
from cs_pipeline.plays.triggers.dispatch_cursor import Cursor, Offer
from tests.builders.company import MONDAY, Company, save_play

FEW, MANY = 2_000, 8_000
"""Triggers of the week that are decided."""

DECIDED = """
with opened as (
    insert into cs.triggers (trigger_key, kind, account_id, subject_id, occurred_at, anchor_on, facts)
    select 'done ' || number, 'score_change', 'd' || number, 'd' || number, %(now)s, %(now)s::date, '{}'
    from generate_series(%(first)s, %(last)s) as number
    returning trigger_id, account_id
)

insert into cs.enrolments (
    playbook, playbook_version, family, account_id, trigger_id, subject_id, anchor_on, status, reason, enrolled_at,
    ended_at
)
select
    'yellow', 'v', 'save', account_id, trigger_id, account_id, %(now)s::date, 'refused', 'audience', %(now)s, %(now)s
from opened
"""
LATE = """
insert into cs.triggers (trigger_key, kind, account_id, subject_id, occurred_at, anchor_on, facts)
values ('late', 'score_change', 'late', 'late', %s, %s, '{}')
returning trigger_id
"""
READ = ("enrolments", "triggers")


def ask(company: Company, cursor: str | None, play: Playbook | None = None) -> Offer:
    with company.warehouse.session() as session:
        return offer(session, {"yellow": play or save_play()}, ["score_change", "alert"], cursor, MONDAY)


def rows_for_a_tick(company: Company, decided: range) -> int:
    """Rows that a tick reads to find one new trigger beside those that are decided, which one before it has seen."""
    with company.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(DECIDED, {"now": MONDAY, "first": decided.start, "last": decided.stop - 1})
    company.run("vacuum analyze cs.triggers, cs.enrolments")
    seen = ask(company, None).cursor
    new = company.fall(f"new {decided.stop}")
    before = company.rows_read(*READ)
    (batch,) = ask(company, seen).batches
    assert new in batch.trigger_ids
    return company.rows_read(*READ) - before


@pytest.mark.one_server("each server keeps the statistics of its part")
def test_a_tick_reads_as_much_however_much_the_week_has_brought(company: Company) -> None:
    company.run("insert into cs.playbooks values ('yellow', 'v', '{}')")
    few = rows_for_a_tick(company, range(FEW))
    many = rows_for_a_tick(company, range(FEW, MANY))
    assert many <= few + 20
    assert few < FEW / 10


def test_a_trigger_that_is_committed_behind_a_newer_one_is_found(company: Company) -> None:
    cursor = ask(company, ask(company, None).cursor).cursor
    writing = company.warehouse.connect()
    with writing.cursor() as late:
        late.execute(LATE, [MONDAY - timedelta(days=30), MONDAY])
        ((older,),) = late.fetchall()
    newer = company.fall("acme")
    assert older < newer
    for expected in ([(newer,)], [], []):
        found = ask(company, cursor)
        assert [batch.trigger_ids for batch in found.batches] == expected
        cursor = found.cursor
    assert Cursor.read(cursor).after == {"yellow": newer}
    writing.commit()
    writing.close()
    assert [batch.trigger_ids for batch in ask(company, cursor).batches] == [(older,)]


def test_one_that_is_taken_back_is_waited_for_only_as_long(company: Company) -> None:
    writing = company.warehouse.connect()
    writing.cursor().execute(LATE, [MONDAY, MONDAY])
    newer = company.fall("acme")
    cursor = ask(company, None).cursor
    assert Cursor.read(cursor).whole == {}
    writing.rollback()
    writing.close()
    assert set(Cursor.read(ask(company, cursor).cursor).whole.values()) == {newer}


def test_a_playbook_that_is_about_something_else_now_looks_at_the_week_again(company: Company) -> None:
    alerts = [company.trigger("alert", "acme", key=rule, rule=rule) for rule in ("one", "two")]
    plays = [
        save_play(trigger={"kind": "alert", "when": f"rule in {names}"}, exit=[])
        for names in ("('one',)", "('one', 'two')")
    ]
    first = ask(company, None, plays[0])
    assert [batch.trigger_ids for batch in first.batches] == [(alerts[0],)]
    assert [batch.trigger_ids for batch in ask(company, first.cursor, plays[1]).batches] == [(alerts[1],)]


def test_triggers_of_a_database_that_was_restored_are_found(company: Company) -> None:
    company.run("select setval(pg_get_serial_sequence('cs.triggers', 'trigger_id'), 1000)")
    company.fall("before")
    cursor = ask(company, None).cursor
    company.run("delete from cs.triggers")
    company.run("select setval(pg_get_serial_sequence('cs.triggers', 'trigger_id'), 1)")
    cursor = ask(company, cursor).cursor
    new = company.fall("after")
    assert [batch.trigger_ids for batch in ask(company, cursor).batches] == [(new,)]
