"""Who enters a play, and why others do not."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.plays.enrolment.enrol import enrol, exits
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.outbox.kill_switch import stop
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY, Company, save_play


def reason_of(company: Company, trigger_id: int) -> tuple[str, str | None]:
    ((status, reason),) = company.run("select status, reason from cs.enrolments where trigger_id = %s", trigger_id)
    return status, reason


def test_all_steps_are_planned_at_enrolment(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    summary = enrol(company.warehouse, save_play(), [company.fall("acme")], settings, MONDAY)
    assert (summary.enrolled, summary.actions) == (1, {"planned": 3})
    rows = company.run("select step, status, role, recipient, due_at from cs.actions order by due_at")
    assert rows == [
        ("guide", "planned", "point_of_contact", "ada@acme.example", MONDAY),
        ("check", "planned", "owner", "olga@ours.example", datetime(2025, 3, 12, 8, tzinfo=UTC)),
        ("tip", "planned", "champion", "ada@acme.example", datetime(2025, 3, 17, 8, tzinfo=UTC)),  # 15 is a Saturday
    ]


@pytest.mark.requirement("S1-13")
def test_the_same_trigger_twice_enrols_once(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    trigger = company.fall("acme")
    enrol(company.warehouse, save_play(), [trigger], settings, MONDAY)
    again = enrol(company.warehouse, save_play(), [trigger], settings, MONDAY)
    assert (again.enrolled, again.refused, again.actions) == (0, {}, {})
    assert company.column("select count(*) from cs.actions") == [3]


def test_a_play_for_former_customers_is_for_who_has_left_and_ends_when_they_return(
    company: Company, settings: Settings
) -> None:
    winback = save_play(
        playbook="winback",
        family="winback",
        trigger={"kind": "lifecycle", "when": "anchor == 'churn'"},
        exit=[],
        for_former_customers=True,
    )
    company.account("gone", churned_at=MONDAY - timedelta(days=1))
    company.account("back")
    left, back = (company.trigger("lifecycle", name, anchor="churn") for name in ("gone", "back"))
    enrol(company.warehouse, winback, [left, back], settings, MONDAY)
    assert reason_of(company, left) == ("active", None)
    assert reason_of(company, back) == ("refused", "returned")
    company.run("update marts.dim_accounts set churned_at = null where account_id = 'gone'")
    with company.warehouse.session() as session:
        exits.end_all_plays(session, AsOf(settings, MONDAY))
    assert reason_of(company, left) == ("exited", "returned")


def test_runs_at_the_same_time_enrol_once(company: Company, settings: Settings) -> None:
    triggers = [company.fall(account) for account in company.accounts(20)]
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(enrol, company.warehouse, save_play(), triggers, settings, MONDAY) for _ in range(4)]
        summaries = [job.result() for job in jobs]
    assert sum(summary.enrolled for summary in summaries) == 20
    assert company.column("select count(*) from cs.actions") == [60]


def test_two_plays_of_a_family_at_the_same_time_leave_one_active(company: Company, settings: Settings) -> None:
    triggers = [company.fall(account) for account in company.accounts(10)]
    plays = [save_play(), save_play(playbook="other")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda play: enrol(company.warehouse, play, triggers, settings, MONDAY), plays))
    assert Counter(company.run("select status, reason from cs.enrolments")) == {
        ("active", None): 10,
        ("refused", "family"): 10,
    }


def test_every_refusal_is_a_row_with_its_reason(company: Company, settings: Settings) -> None:
    play = save_play(audience="tier != 'starter'")
    company.account("rose", severity=1)
    company.account("small", severity=1, tier="starter")
    company.account("gone", severity=1, churned_at=MONDAY - timedelta(days=1))
    company.account("well", severity=0)
    triggers = {
        "trigger": company.fall("rose", from_severity=3),
        "audience": company.fall("small"),
        "churned": company.fall("gone"),
        "recovered": company.fall("well"),
        "unknown_account": company.fall("nobody"),
    }
    enrol(company.warehouse, play, list(triggers.values()), settings, MONDAY)
    assert {reason: reason_of(company, trigger) for reason, trigger in triggers.items()} == {
        reason: ("refused", reason) for reason in triggers
    }
    assert company.column("select count(*) from cs.actions") == [0]


def test_a_missing_fact_enrols_nobody(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    trigger = company.fall("acme", from_severity=None)
    enrol(company.warehouse, save_play(), [trigger], settings, MONDAY)
    assert reason_of(company, trigger) == ("refused", "trigger")


@pytest.mark.requirement("C-23")
def test_an_account_is_in_one_play_of_a_family(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    enrol(company.warehouse, save_play(), [company.fall("acme")], settings, MONDAY)
    later = company.fall("acme", occurred_at=MONDAY + timedelta(days=7))
    enrol(company.warehouse, save_play(playbook="second"), [later], settings, MONDAY + timedelta(days=7))
    assert reason_of(company, later) == ("refused", "family")


@pytest.mark.requirement("C-23")
def test_a_play_of_higher_priority_takes_over(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    enrol(company.warehouse, save_play(), [company.fall("acme")], settings, MONDAY)
    company.score("acme", 3)
    red = save_play(playbook="red", priority=90, trigger={"kind": "score_change", "when": "to_severity == 3"})
    summary = enrol(company.warehouse, red, [company.fall("acme", 3, key="red")], settings, MONDAY)
    assert (summary.enrolled, summary.outranked) == (1, 1)
    assert company.run("select playbook, status, reason from cs.enrolments order by enrolment_id") == [
        ("yellow", "exited", "outranked"),
        ("red", "active", None),
    ]
    assert company.column("select distinct reason from cs.actions where playbook = 'yellow'") == ["outranked"]


def test_two_triggers_of_one_account_in_a_batch_enrol_it_once(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    first, second = company.fall("acme", key="first"), company.fall("acme", key="second")
    enrol(company.warehouse, save_play(), [second, first], settings, MONDAY)
    assert (reason_of(company, first), reason_of(company, second)) == (("active", None), ("refused", "family"))


def test_an_account_may_enter_again_after_the_days_of_the_playbook(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    play = save_play(reentry_after_days=30)
    enrol(company.warehouse, play, [company.fall("acme")], settings, MONDAY)
    company.run("update cs.enrolments set status = 'completed', ended_at = %s", MONDAY + timedelta(days=7))
    for day, expected in [(36, ("refused", "reentry")), (38, ("active", None))]:
        now = MONDAY + timedelta(days=day)
        trigger = company.fall("acme", occurred_at=now)
        enrol(company.warehouse, play, [trigger], settings, now)
        assert reason_of(company, trigger) == expected


def test_an_ended_play_does_not_stand_in_the_way(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    enrol(company.warehouse, save_play(), [company.fall("acme")], settings, MONDAY)
    company.score("acme", 0)
    next_play = save_play(playbook="next", exit=[])
    summary = enrol(company.warehouse, next_play, [company.fall("acme", key="next")], settings, MONDAY)
    assert summary.enrolled == 1
    assert company.column("select reason from cs.enrolments where playbook = 'yellow'") == ["recovered"]


@pytest.mark.parametrize(("scope", "name"), [("playbook", "yellow"), ("account", "acme")])
def test_a_stopped_playbook_or_account_enrols_nobody(
    company: Company, settings: Settings, scope: str, name: str
) -> None:
    company.account("acme", severity=1)
    trigger = company.fall("acme")
    with company.warehouse.session() as session:
        stop(session, scope, name, "asked by legal", "olga", MONDAY)  # pyright: ignore[reportArgumentType]
    enrol(company.warehouse, save_play(), [trigger], settings, MONDAY)
    assert reason_of(company, trigger) == ("refused", "kill_switch")


def test_a_step_whose_time_is_past_is_suppressed_at_once(company: Company, settings: Settings) -> None:
    company.account("acme")
    company.term("s1", "acme", date(2025, 4, 20))
    trigger = company.trigger(
        "renewal_window",
        "acme",
        subject_id="s1",
        anchor_on=date(2025, 4, 20),
        renewal_window="60",
    )
    ladder = save_play(
        family="renewal",
        trigger={"kind": "renewal_window"},
        exit=[],
        steps=[
            {**step, "step": f"before_{days}", "day": -days}
            for days in (180, 90, 43, 30)
            for step in [{"channel": "email", "to": "champion", "template": "t", "intent": "inform"}]
        ],
    )
    enrol(company.warehouse, ladder, [trigger], settings, MONDAY)
    assert company.run("select step, status, reason from cs.actions order by due_at") == [
        ("before_180", "suppressed", "stale"),
        ("before_90", "suppressed", "stale"),
        ("before_43", "planned", None),  # due on Monday the 10th, for Saturday the 8th
        ("before_30", "planned", None),
    ]


def test_an_action_that_nobody_can_receive_is_a_failed_row(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    company.run("delete from marts.dim_contacts")
    enrol(company.warehouse, save_play(), [company.fall("acme")], settings, MONDAY)
    assert company.run("select step, status, reason from cs.actions where status <> 'planned' order by 1") == [
        ("guide", "failed", "no_recipient"),
        ("tip", "failed", "no_recipient"),
    ]


def test_steps_that_need_approval_wait_for_it(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    step = {"step": "offer", "day": 0, "channel": "email", "to": "champion", "template": "t", "intent": "offer"}
    play = save_play(steps=[step | {"needs_approval": True}])
    assert enrol(company.warehouse, play, [company.fall("acme")], settings, MONDAY).actions == {"awaiting_approval": 1}


def test_triggers_of_another_kind_are_left_alone(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    trigger = company.trigger("lifecycle", "acme")
    assert enrol(company.warehouse, save_play(), [trigger], settings, MONDAY).refused == {}
    assert company.column("select count(*) from cs.enrolments") == [0]


def test_the_version_that_enrolled_somebody_is_kept(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    play = save_play()
    enrol(company.warehouse, play, [company.fall("acme")], settings, MONDAY)
    ((version, definition),) = company.run("select playbook_version, definition from cs.playbooks")
    assert version == play.version
    assert type(play).model_validate(definition) == play


def test_an_enrolment_without_marts_says_what_is_missing(warehouse: Warehouse, settings: Settings) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.triggers (trigger_key, kind, account_id, subject_id, occurred_at, anchor_on, facts)
            values ('k', 'score_change', 'acme', 'acme', %s, '2025-03-10', '{}')
            returning trigger_id
            """,
            [MONDAY],
        )
        trigger_id = cursor.fetchone()[0]  # pyright: ignore[reportOptionalSubscript]
    with pytest.raises(UserError, match="Plays need the marts"):
        enrol(warehouse, save_play(), [trigger_id], settings, MONDAY)
