"""Who said no, or whose mail came back, gets none: by address, in whatever row, account or list it stands."""

from datetime import timedelta

import pytest

from cs_pipeline.addresses import hash_of
from cs_pipeline.clock import Clock
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import deliver

MAIL = {"step": "s", "day": 0, "channel": "email", "to": "champion", "template": "t", "intent": "educate"}
TEXT = {**MAIL, "channel": "sms"}
EARLIER = MONDAY - timedelta(days=3)
ADA = "ada@acme.example"
SENT = ("sent", None)


@pytest.fixture
def acme(company: Company) -> Company:
    """One account, whose champion falls back to Ada."""
    company.account("acme", severity=1)
    return company


def event(company: Company, what: str, **values: object) -> None:
    company.insert("staging.stg_email_events", **{"account_id": "acme", "event": what, "occurred_at": EARLIER} | values)


def other_user(company: Company, email: str, **values: object) -> None:
    row: dict[str, object] = {"user_id": "other", "account_id": "other", "email": email, "unsubscribed_at": EARLIER}
    company.insert("staging.other_users", **row | values)


def outcome(
    company: Company, settings: Settings, clock: Clock, step: dict[str, object] = MAIL
) -> tuple[str, str | None]:
    enrol(company.warehouse, save_play(steps=[step], exit=[]), [company.fall("acme")], settings, MONDAY)
    deliver(company.warehouse, settings, clock)
    ((status, reason),) = company.run("select status, reason from cs.actions")
    return status, reason


@pytest.mark.parametrize("step", [MAIL, TEXT], ids=["mail", "text message"])
@pytest.mark.parametrize("email", [ADA, "Ada@Acme.Example", " ada@acme.example.", "Ada <ADA@acme.example>"])
def test_who_unsubscribed_in_another_account_gets_no_mail_through_this_one(
    acme: Company, settings: Settings, clock: Clock, email: str, step: dict[str, object]
) -> None:
    other_user(acme, email)
    assert outcome(acme, settings, clock, step) == ("suppressed", "unsubscribed")


def test_who_unsubscribed_before_their_row_was_deleted_gets_no_mail_through_the_next_row(
    acme: Company, settings: Settings, clock: Clock
) -> None:
    other_user(acme, ADA, account_id="acme", deleted_at=EARLIER)
    assert outcome(acme, settings, clock) == ("suppressed", "unsubscribed")


@pytest.mark.parametrize(
    ("what", "reason"), [("unsubscribe", "unsubscribed"), ("bounce", "bounced"), ("spam", "bounced")]
)
@pytest.mark.parametrize(
    "whose",
    [
        {"user_id": "acme-ada"},
        {"user_id": "acme-ada", "account_id": "other"},
        {"email": ADA},
        {"email": ADA, "user_id": "unknown", "account_id": "other"},
    ],
    ids=["of the user", "in another account", "of the address", "of nobody we know"],
)
def test_loaded_unsubscribes_bounces_and_spam_reports_keep_from_mail(
    acme: Company, settings: Settings, clock: Clock, what: str, reason: str, whose: dict[str, object]
) -> None:
    event(acme, what, **whose)
    assert outcome(acme, settings, clock) == ("suppressed", reason)


def test_an_event_of_a_user_whose_row_is_gone_is_of_the_address_we_wrote_to(
    acme: Company, settings: Settings, clock: Clock
) -> None:
    assert outcome(acme, settings, clock) == SENT
    acme.run("update marts.dim_contacts set user_id = 'new'")
    event(acme, "unsubscribe", user_id="acme-ada", occurred_at=MONDAY)
    assert refused(acme, ADA) == [("unsubscribed", "email_events")]


@pytest.mark.parametrize("what", ["sent", "open", "click", "reply", "soft_bounce", "subscribe"])
def test_what_else_happened_to_mail_keeps_nobody_from_it(
    acme: Company, settings: Settings, clock: Clock, what: str
) -> None:
    event(acme, what, user_id="acme-ada")
    assert outcome(acme, settings, clock) == SENT


def test_an_event_of_an_address_that_the_user_has_left_is_not_of_the_one_they_have(
    acme: Company, settings: Settings, clock: Clock
) -> None:
    event(acme, "bounce", user_id="acme-ada", email="ada@old.example")
    assert outcome(acme, settings, clock) == SENT


def test_what_happens_later_does_not_count_yet(acme: Company, settings: Settings, clock: Clock) -> None:
    event(acme, "bounce", user_id="acme-ada", occurred_at=MONDAY + timedelta(minutes=1))
    other_user(acme, ADA, unsubscribed_at=MONDAY + timedelta(minutes=1))
    assert outcome(acme, settings, clock) == SENT


def test_who_subscribes_again_gets_mail_until_they_say_no_again(company: Company) -> None:
    other_user(company, ADA)
    event(company, "unsubscribe", email=ADA)
    event(company, "subscribe", email=ADA, occurred_at=EARLIER + timedelta(hours=1))
    assert refused(company, ADA) == []
    event(company, "unsubscribe", email=ADA, occurred_at=EARLIER + timedelta(hours=2))
    assert refused(company, ADA) == [("unsubscribed", "email_events")]


def test_subscribing_again_mends_no_bounce_and_lifts_nothing_from_the_list(company: Company) -> None:
    event(company, "spam", email=ADA)
    company.insert("cs.suppressions", address=ADA, reason="unsubscribed", source="sendgrid", since=EARLIER)
    event(company, "subscribe", email=ADA, occurred_at=EARLIER + timedelta(hours=1))
    assert refused(company, ADA) == [("spam", "email_events"), ("unsubscribed", "sendgrid")]


@pytest.mark.parametrize("address", [ADA, "ADA@acme.example", "Ada <ada@acme.example>", hash_of(ADA)])
def test_the_list_of_suppressions_holds_in_every_spelling_and_as_a_hash(
    acme: Company, settings: Settings, clock: Clock, address: str
) -> None:
    acme.insert("cs.suppressions", address=address, reason="by_hand", source="s", since=EARLIER)
    assert outcome(acme, settings, clock) == ("suppressed", "by_hand")


def test_a_plus_tag_is_another_mailbox(acme: Company, settings: Settings, clock: Clock) -> None:
    other_user(acme, "ada+news@acme.example")
    assert outcome(acme, settings, clock) == SENT


def refused(company: Company, address: str) -> list[tuple]:
    return company.run(
        "select reason, source from cs.refused_addresses(array[%s], %s) order by reason, source", address, MONDAY
    )
