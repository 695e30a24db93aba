"""What people decide about actions: it is so at once, it is written down, and nothing else is changed."""

from datetime import timedelta

import pytest
from typer.testing import CliRunner

from cs_pipeline.channels.message import Outcome
from cs_pipeline.cli import app
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.outbox.manual_actions import decide
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import ToldChannel, all_by, deliver

MAIL = {"step": "s", "day": 0, "channel": "email", "to": "champion", "template": "t", "intent": "educate"}


@pytest.fixture
def actions(company: Company, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One planned mail for each of three accounts, in a database that commands find."""
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_NOW", MONDAY.isoformat())
    triggers = [company.fall(account) for account in company.accounts(3)]
    enrol(company.warehouse, save_play(steps=[MAIL], exit=[]), triggers, settings, MONDAY)
    return company.column("select action_id from cs.actions order by action_id")  # pyright: ignore[reportReturnType]


def run(*arguments: object) -> str:
    return CliRunner().invoke(app, ["action", *map(str, arguments)], catch_exceptions=False).output


def states(company: Company) -> list[tuple[object, ...]]:
    return company.run("select status, reason from cs.actions order by action_id")


def decisions(company: Company) -> list[tuple[object, ...]]:
    return company.run(
        "select decision, status_before, reason_before, decided_by, decided_at from cs.action_decisions order by 1"
    )


@pytest.mark.requirement("C-27")
def test_an_approved_offer_goes_out(company: Company, settings: Settings, clock: Clock, actions: list[int]) -> None:
    company.run("update cs.actions set status = 'awaiting_approval'")
    assert "2 approved" in run("approve", *actions[:2], "--by", "olga")
    assert deliver(company.warehouse, settings, clock).count("captured") == 2
    assert states(company)[2] == ("awaiting_approval", None)
    assert decisions(company) == [("approve", "awaiting_approval", None, "olga", MONDAY)] * 2


def test_what_is_on_hold_does_not_go_out_until_it_is_approved(
    company: Company, settings: Settings, clock: Clock, actions: list[int]
) -> None:
    run("hold", actions[0], "--by", "olga")
    assert deliver(company.warehouse, settings, clock).count("captured") == 2
    assert states(company)[0] == ("awaiting_approval", "on_hold")
    run("approve", actions[0])
    assert deliver(company.warehouse, settings, clock).count("captured") == 1


def test_what_is_cancelled_does_not_go_out(
    company: Company, settings: Settings, clock: Clock, actions: list[int]
) -> None:
    run("cancel", actions[0], "--by", "olga")
    assert deliver(company.warehouse, settings, clock).count("captured") == 2
    assert states(company)[0] == ("cancelled", "cancelled_by_hand")


def test_sending_again_is_one_more_attempt_and_each_is_kept(
    company: Company, settings: Settings, clock: Clock, actions: list[int]
) -> None:
    channel = ToldChannel(lambda message: Outcome("uncertain" if message.account_id == "a0" else "sent"))
    deliver(company.warehouse, settings, clock, all_by(channel))
    channel.answer = lambda _: Outcome("sent")
    assert "1 planned again" in run("resend", actions[0], "--by", "olga")
    deliver(company.warehouse, settings, clock, all_by(channel))
    assert states(company) == [("sent", None)] * 3
    assert company.run(
        "select attempt, outcome from cs.action_attempts where action_id = %s order by 1", actions[0]
    ) == [(1, "uncertain"), (2, "sent")]
    assert decisions(company) == [("resend", "uncertain", "no_answer", "olga", MONDAY)]


def test_sending_again_works_when_the_play_is_over_and_the_action_was_stale(
    company: Company, settings: Settings, clock: Clock, actions: list[int]
) -> None:
    late = MONDAY + timedelta(days=7)
    clock.set(late)
    deliver(company.warehouse, settings, clock)
    assert states(company)[0] == ("suppressed", "stale")
    assert company.column("select distinct status from cs.enrolments") == ["completed"]
    with company.warehouse.session() as session:
        decide(session, "resend", actions[:1], "olga", late)
    assert deliver(company.warehouse, settings, clock).count("captured") == 1
    assert states(company) == [("sent", None), ("suppressed", "stale"), ("suppressed", "stale")]


def test_sending_again_asks_the_guards(company: Company, settings: Settings, clock: Clock, actions: list[int]) -> None:
    deliver(company.warehouse, settings, clock)
    company.run("update marts.dim_contacts set unsubscribed_at = %s", MONDAY)
    run("resend", actions[0])
    deliver(company.warehouse, settings, clock)
    assert states(company)[0] == ("suppressed", "unsubscribed")


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("approve", "is planned; approve is for awaiting_approval"),
        ("resend", "is planned; resend is for sent, failed, uncertain, suppressed, cancelled"),
    ],
)
def test_a_decision_that_makes_no_sense_changes_nothing(
    company: Company, actions: list[int], verb: str, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        run(verb, *actions)
    assert states(company) == [("planned", None)] * 3
    assert decisions(company) == []


def test_one_unknown_action_stops_the_whole_decision(company: Company, actions: list[int]) -> None:
    with pytest.raises(UserError, match="there is no action 999"):
        run("cancel", actions[0], 999)
    assert states(company) == [("planned", None)] * 3


def test_what_is_being_sent_cannot_be_cancelled(
    company: Company, settings: Settings, clock: Clock, actions: list[int]
) -> None:
    company.run("update cs.actions set status = 'claimed', lease_until = %s", MONDAY + timedelta(minutes=5))
    with pytest.raises(UserError, match="is claimed"):
        run("cancel", actions[0])


def test_what_is_stale_is_not_approved(company: Company, actions: list[int]) -> None:
    company.run("update cs.actions set status = 'awaiting_approval'")
    with company.warehouse.session() as session, pytest.raises(UserError, match="is stale"):
        decide(session, "approve", actions, "olga", MONDAY + timedelta(days=3))
