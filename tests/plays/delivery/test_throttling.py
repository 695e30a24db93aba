"""What is due and waits: for the reader's morning, for room under a cap, for a score that is not held."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.plays.delivery.quiet_hours import SPREAD, QuietHours
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import deliver

MAIL = {"step": "s", "day": 0, "channel": "email", "to": "champion", "template": "t", "intent": "educate"}
HOURS = QuietHours(8, 18)
TEN_AT_NIGHT = datetime(2025, 3, 10, 21, tzinfo=UTC)  # in Berlin
GOOD_FRIDAY = datetime(2025, 4, 18, 10, tzinfo=UTC)


def enrolled(company: Company, settings: Settings, clock: Clock, count: int = 1, **changes: object) -> None:
    """`count` accounts a0, a1, … with one mail due now."""
    triggers = [company.fall(account, occurred_at=clock.now()) for account in company.accounts(count)]
    enrol(company.warehouse, save_play(steps=[MAIL], exit=[], **changes), triggers, settings, clock.now())


def mails(company: Company, settings: Settings, clock: Clock, recipients: list[str], each: int) -> None:
    """`each` plays with one mail now for every account of `recipients`."""
    for number in range(each):
        play = save_play(playbook=f"p{number}", family=f"f{number}", exit=[], steps=[MAIL])
        triggers = [company.fall(account, key=f"{account}{number}{clock.now()}") for account in recipients]
        enrol(company.warehouse, play, triggers, settings, clock.now())


def states(company: Company) -> list[tuple[object, ...]]:
    return company.run("select status, reason, count(*) from cs.actions group by 1, 2 order by 1, 2")


# Hours and days ------------------------------------------------------------------------------------------------------


def test_a_mail_waits_for_the_morning_of_its_reader(company: Company, settings: Settings, clock: Clock) -> None:
    clock.set(TEN_AT_NIGHT)
    enrolled(company, settings, clock)
    assert deliver(company.warehouse, settings, clock).postponed == {"quiet_hours": 1}
    ((due_at,),) = company.run("select due_at from cs.actions")
    seven_utc = datetime(2025, 3, 11, 7, tzinfo=UTC)  # eight in Berlin
    assert seven_utc <= due_at < seven_utc + SPREAD
    clock.set(due_at)
    assert deliver(company.warehouse, settings, clock).count("captured") == 1


def test_a_task_of_ours_does_not_wait_for_the_morning(company: Company, settings: Settings, clock: Clock) -> None:
    clock.set(TEN_AT_NIGHT)
    account = company.account("acme", severity=1)
    task = MAIL | {"channel": "crm", "to": "owner"}
    trigger = company.fall(account, occurred_at=clock.now())
    enrol(company.warehouse, save_play(steps=[task]), [trigger], settings, clock.now())
    assert deliver(company.warehouse, settings, clock).count("captured") == 1


@pytest.mark.parametrize(
    ("person", "account", "ours", "waits"),
    [
        ("America/New_York", "Europe/Berlin", "UTC", False),
        ("Europe/Berlin", "America/New_York", "UTC", True),
        (None, "America/New_York", "Europe/Berlin", False),
        (None, "Europe/Berlin", "America/New_York", True),
        (None, None, "America/New_York", False),
        (None, None, "Europe/Berlin", True),
    ],
)
def test_the_zone_is_the_persons_else_the_accounts_else_ours(
    company: Company, settings: Settings, clock: Clock, person: str | None, account: str | None, ours: str, waits: bool
) -> None:
    clock.set(TEN_AT_NIGHT)  # five in the afternoon in New York
    settings = settings.model_copy(update={"timezone": ours})
    enrolled(company, settings, clock)
    company.run("update marts.dim_accounts set timezone = %s", account)
    company.run("update marts.dim_contacts set timezone = %s", person)
    assert deliver(company.warehouse, settings, clock).postponed.total() == waits


@pytest.mark.parametrize("user_of", ["a0", "agency"])
def test_the_zone_of_any_user_with_that_address_counts(
    company: Company, settings: Settings, clock: Clock, user_of: str
) -> None:
    clock.set(TEN_AT_NIGHT)
    enrolled(company, settings, clock)
    company.run("update marts.dim_contacts set email = 'Bo@A0.example', timezone = null")
    row = {"user_id": "bo", "account_id": user_of, "email": "bo@a0.example", "timezone": "America/New_York"}
    company.insert("staging.other_users", **row)
    assert deliver(company.warehouse, settings, clock).postponed.total() == 0


def test_a_holiday_where_the_reader_is_postpones_over_the_week_end_and_makes_nothing_stale(
    company: Company, settings: Settings, clock: Clock
) -> None:
    clock.set(GOOD_FRIDAY)
    enrolled(company, settings, clock, stale_after_days=1)
    deliver(company.warehouse, settings, clock)
    assert company.column("select due_at::date from cs.actions") == [date(2025, 4, 22)]  # after Easter
    clock.set(datetime(2025, 4, 22, 12, tzinfo=UTC))
    assert deliver(company.warehouse, settings, clock).count("captured") == 1


def test_the_same_day_is_no_holiday_elsewhere(company: Company, settings: Settings, clock: Clock) -> None:
    clock.set(datetime(2025, 10, 3, 10, tzinfo=UTC))
    enrolled(company, settings, clock, count=2)
    company.run("update marts.dim_accounts set country = 'FR' where account_id = 'a1'")
    deliver(company.warehouse, settings, clock)
    assert company.run("select account_id, status from cs.actions order by 1") == [("a0", "planned"), ("a1", "sent")]


def test_a_quiet_week_end_is_followed_by_no_burst(company: Company, settings: Settings, clock: Clock) -> None:
    clock.set(datetime(2025, 3, 15, 10, tzinfo=UTC))  # a Saturday
    enrolled(company, settings, clock, count=40)
    deliver(company.warehouse, settings, clock)
    quarters = company.run(
        "select date_bin('15 minutes', due_at, '2025-03-17 07:00+00'), count(*) from cs.actions group by 1"
    )
    assert len(quarters) == 8
    assert max(count for _, count in quarters) <= 12


def test_opening_is_always_the_same_for_the_same_mail() -> None:
    first = HOURS.next_moment(TEN_AT_NIGHT, "DE", "Europe/Berlin", "k")
    assert first is not None
    assert HOURS.next_moment(TEN_AT_NIGHT + timedelta(hours=3), "DE", "Europe/Berlin", "k") == first
    assert HOURS.next_moment(first, "DE", "Europe/Berlin", "k") is None


@pytest.mark.parametrize(("hour", "waits"), [(5, True), (6, False), (15, False), (16, True)])
def test_hours_follow_daylight_saving(hour: int, waits: bool) -> None:
    summer = datetime(2025, 7, 7, hour, tzinfo=UTC)  # two hours behind Berlin
    assert (HOURS.next_moment(summer, "DE", "Europe/Berlin", "k") is not None) == waits


def test_a_day_without_end_closes_at_midnight() -> None:
    assert QuietHours(0, 24).next_moment(TEN_AT_NIGHT, "DE", "Europe/Berlin", "k") is None


# Caps ----------------------------------------------------------------------------------------------------------------


def test_a_person_gets_so_many_mails_in_seven_days_whatever_the_plays(
    company: Company, settings: Settings, clock: Clock
) -> None:
    settings = settings.model_copy(update={"mails_per_person": 2})
    company.account("acme", severity=1)
    mails(company, settings, clock, ["acme"], each=3)
    assert deliver(company.warehouse, settings, clock).postponed == {"frequency_cap": 1}
    assert states(company) == [("planned", "frequency_cap", 1), ("sent", None, 2)]
    assert company.column("select due_at from cs.actions where status = 'planned'") == [MONDAY + timedelta(days=7)]
    clock.set(MONDAY + timedelta(days=3))
    deliver(company.warehouse, settings, clock)
    assert states(company) == [("sent", None, 2), ("suppressed", "frequency_cap", 1)]


def test_a_capped_mail_goes_out_when_there_is_room(company: Company, settings: Settings, clock: Clock) -> None:
    settings = settings.model_copy(update={"mails_per_person": 1})
    company.account("acme", severity=1)
    mails(company, settings, clock, ["acme"], each=1)
    deliver(company.warehouse, settings, clock)
    clock.set(MONDAY + timedelta(days=4))
    mails(company, settings, clock, ["acme"], each=1)
    enrol(
        company.warehouse,
        save_play(playbook="later", family="later", exit=[], steps=[MAIL], stale_after_days=5),
        [company.fall("acme", key="later", occurred_at=clock.now())],
        settings,
        clock.now(),
    )
    assert deliver(company.warehouse, settings, clock).postponed == {"frequency_cap": 1}
    clock.set(MONDAY + timedelta(days=7, minutes=1))
    assert deliver(company.warehouse, settings, clock).count("captured") == 1


def test_an_account_gets_so_many_mails_whoever_reads_them(company: Company, settings: Settings, clock: Clock) -> None:
    settings = settings.model_copy(update={"mails_per_account": 2})
    company.account("acme", severity=1)
    company.account("other", severity=1)
    company.contact("acme", "eve", role="champion")
    for to in ("champion", "point_of_contact"):
        for number in range(2):
            play = save_play(playbook=f"{to}{number}", family=f"{to}{number}", exit=[], steps=[MAIL | {"to": to}])
            triggers = [company.fall(name, key=f"{to}{number}{name}") for name in ("acme", "other")]
            enrol(company.warehouse, play, triggers, settings, MONDAY)
    deliver(company.warehouse, settings, clock)
    assert company.run("select account_id, count(*) from cs.actions where status = 'sent' group by 1 order by 1") == [
        ("acme", 2),
        ("other", 2),
    ]
    recipients = company.column("select distinct recipient from cs.captured_messages where recipient like '%%acme%%'")
    assert len(recipients) <= 2


def test_a_person_of_two_accounts_is_one_person(company: Company, settings: Settings, clock: Clock) -> None:
    settings = settings.model_copy(update={"mails_per_person": 1})
    company.account("one", severity=1)
    company.account("two", severity=1)
    company.run("update marts.dim_contacts set email = 'Ada@one.example' where account_id = 'two'")
    mails(company, settings, clock, ["one", "two"], each=1)
    assert deliver(company.warehouse, settings, clock).count("captured") == 1


def test_what_may_have_arrived_counts_as_arrived(company: Company, settings: Settings, clock: Clock) -> None:
    settings = settings.model_copy(update={"mails_per_person": 1})
    company.account("acme", severity=1)
    mails(company, settings, clock, ["acme"], each=1)
    company.run("update cs.actions set status = 'uncertain', recipient = 'ada@acme.example'")
    clock.set(MONDAY + timedelta(days=1))
    play = save_play(playbook="next", family="next", exit=[], steps=[MAIL])
    enrol(company.warehouse, play, [company.fall("acme", key="n", occurred_at=clock.now())], settings, clock.now())
    assert deliver(company.warehouse, settings, clock).postponed == {"frequency_cap": 1}


# Held scores ---------------------------------------------------------------------------------------------------------


def test_a_play_that_a_score_started_waits_while_the_score_is_held(
    company: Company, settings: Settings, clock: Clock
) -> None:
    enrolled(company, settings, clock, count=2)
    company.run("update cs.health_scores set status = 'held' where account_id = 'a0'")
    assert deliver(company.warehouse, settings, clock).postponed == {"stale_data": 1}
    assert company.run("select account_id, status, reason from cs.actions order by 1") == [
        ("a0", "planned", "stale_data"),
        ("a1", "sent", None),
    ]
    company.run("update cs.health_scores set status = 'scored'")
    clock.set(MONDAY + timedelta(hours=20))
    assert deliver(company.warehouse, settings, clock).count("captured") == 1


def test_a_score_that_stays_held_suppresses_in_the_end(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, clock)
    company.run("update cs.health_scores set status = 'held'")
    deliver(company.warehouse, settings, clock)
    clock.set(MONDAY + timedelta(days=3))
    deliver(company.warehouse, settings, clock)
    assert states(company) == [("suppressed", "stale_data", 1)]


def test_a_play_about_a_date_does_not_wait_for_scores(company: Company, settings: Settings, clock: Clock) -> None:
    company.account("acme", severity=1)
    company.run("update cs.health_scores set status = 'held'")
    play = save_play(trigger={"kind": "lifecycle"}, exit=[], steps=[MAIL])
    enrol(company.warehouse, play, [company.trigger("lifecycle", "acme", anchor="signup")], settings, MONDAY)
    assert deliver(company.warehouse, settings, clock).count("captured") == 1
