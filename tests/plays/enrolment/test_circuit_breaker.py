"""A playbook that would enrol a large part of the company enrols nobody until a person has looked."""

from datetime import timedelta

import pytest
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.errors import UserError
from cs_pipeline.plays.enrolment.circuit_breaker import open_trips
from cs_pipeline.plays.enrolment.enrol import EnrolmentSummary, enrol
from cs_pipeline.plays.enrolment.holdout import held_out
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play

LIBRARY_PLAY = "yellow_adoption"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Ten accounts are a company here: three or more are too many at once from 30 % on."""
    return settings.model_copy(update={"breaker_from": 3})


def falls(company: Company, accounts: list[str]) -> list[int]:
    return [company.fall(account) for account in accounts]


def many(company: Company, settings: Settings, play: Playbook | None = None, count: int = 4) -> EnrolmentSummary:
    """Enrol `count` of ten accounts."""
    triggers = falls(company, company.accounts(10)[:count])
    return enrol(company.warehouse, play or save_play(), triggers, settings, MONDAY)


def test_a_batch_that_is_too_large_enrols_nobody_and_says_so(company: Company, settings: Settings) -> None:
    summary = many(company, settings)
    assert summary.enrolled == 0
    assert summary.trip is not None
    assert summary.trip.is_new
    assert company.run("select playbook, accounts, share_of_accounts from cs.breaker_trips") == [("yellow", 4, 0.4)]
    assert company.column("select count(*) from cs.enrolments") == [0]
    assert "yellow would be at work for 4 accounts (40% of all, 40% of ARR)" in summary.trip.words


def test_a_batch_of_the_largest_share_is_enrolled(company: Company, settings: Settings) -> None:
    assert many(company, settings, count=3).enrolled == 3


def test_a_few_accounts_are_never_too_many(company: Company, settings: Settings) -> None:
    assert many(company, settings.model_copy(update={"breaker_from": 5})).enrolled == 4


def test_a_large_part_of_the_revenue_is_too_much(company: Company, settings: Settings) -> None:
    accounts = company.accounts(10)
    company.run("update marts.dim_accounts set arr = 100000 where account_id = 'a1'")
    summary = enrol(company.warehouse, save_play(), falls(company, accounts[:3]), settings, MONDAY)
    assert summary.trip is not None


def test_shares_are_of_the_accounts_of_the_newest_scored_week(company: Company, settings: Settings) -> None:
    accounts = company.accounts(10)
    company.run(
        """
        insert into cs.account_overview (account_id, account_name, week, change, arr, has_cancellation_request)
        select 'a' || nth, 'A', date '2026-01-05', 0, case when nth = 1 then 100 else 10 end, false
        from generate_series(0, 19) as nth
        """
    )
    assert enrol(company.warehouse, save_play(), falls(company, accounts[2:6]), settings, MONDAY).enrolled == 4
    assert enrol(company.warehouse, save_play(), falls(company, accounts[1:2]), settings, MONDAY).trip is not None
    assert company.run("select accounts, share_of_accounts, share_of_arr from cs.breaker_trips") == [
        (5, 0.25, pytest.approx(140 / 290))
    ]


def test_a_batch_in_parts_is_one_batch(company: Company, settings: Settings) -> None:
    triggers = falls(company, company.accounts(10)[:5])
    first = enrol(company.warehouse, save_play(), triggers[:2], settings, MONDAY)
    second = enrol(company.warehouse, save_play(), triggers[2:4], settings, MONDAY + timedelta(minutes=1))
    third = enrol(company.warehouse, save_play(), triggers[4:], settings, MONDAY + timedelta(days=2))
    assert (first.enrolled, second.enrolled, third.enrolled) == (2, 0, 0)
    assert second.trip is not None
    assert third.trip is not None
    assert (second.trip.is_new, third.trip.is_new) == (True, False)
    assert third.trip.trigger_ids == tuple(triggers[2:])


def test_another_playbook_goes_on(company: Company, settings: Settings) -> None:
    many(company, settings)
    other = save_play(playbook="other", family="other")
    assert enrol(company.warehouse, other, [company.fall("a9")], settings, MONDAY).enrolled == 1


def test_conversations_that_fall_due_are_for_everybody(company: Company, settings: Settings) -> None:
    play = save_play(trigger={"kind": "cadence"})
    triggers = [company.trigger("cadence", account, cadence="check_in") for account in company.accounts(10)]
    assert enrol(company.warehouse, play, triggers, settings, MONDAY).enrolled == 10


def test_those_who_would_be_refused_anyway_are_refused(company: Company, settings: Settings) -> None:
    accounts = company.accounts(10)
    company.score("a0", 0)
    summary = enrol(company.warehouse, save_play(), falls(company, accounts[:5]), settings, MONDAY)
    assert (summary.trip is not None, dict(summary.refused)) == (True, {"recovered": 1})


@pytest.fixture
def tripped(company: Company, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Company:
    """A playbook of the library waits for a person."""
    from cs_pipeline.plays.playbooks.reading import load_playbooks

    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(settings.home))
    monkeypatch.setenv("CS_PIPELINE_NOW", MONDAY.isoformat())
    play = load_playbooks(None)[LIBRARY_PLAY]
    assert many(company, settings, play).trip is not None
    return company


def test_a_released_batch_is_enrolled_and_the_next_is_left_alone(tripped: Company, settings: Settings) -> None:
    result = CliRunner().invoke(app, ["play", "release", LIBRARY_PLAY, "--by", "olga"], catch_exceptions=False)
    assert "4 enrolled" in result.output
    assert tripped.run("select decision, decided_by from cs.breaker_trips") == [("released", "olga")]
    assert tripped.column("select count(*) from cs.enrolments where status = 'active'") == [4]
    from cs_pipeline.plays.playbooks.reading import load_playbooks

    play = load_playbooks(None)[LIBRARY_PLAY]
    assert enrol(tripped.warehouse, play, [tripped.fall("a8")], settings, MONDAY).enrolled == 1


def test_a_dismissed_batch_is_refused(tripped: Company) -> None:
    CliRunner().invoke(app, ["play", "dismiss", LIBRARY_PLAY, "--by", "olga"], catch_exceptions=False)
    assert tripped.run("select status, reason, count(*) from cs.enrolments group by 1, 2") == [
        ("refused", "circuit_breaker", 4)
    ]
    with tripped.warehouse.session() as session:
        assert open_trips(session) == []


def test_releasing_what_does_not_wait_is_an_error(tripped: Company) -> None:
    with pytest.raises(UserError, match="Nothing of red_save waits for a decision"):
        CliRunner().invoke(app, ["play", "release", "red_save"], catch_exceptions=False)


# Hold-out ------------------------------------------------------------------------------------------------------------


def test_the_hold_out_is_left_alone_and_says_so(company: Company, settings: Settings) -> None:
    settings = settings.model_copy(update={"breaker_from": 1_000})
    play = save_play(hold_out=0.5)
    accounts = company.accounts(20)
    left_out = {account for account, is_out in zip(accounts, held_out(play, _series(accounts)), strict=True) if is_out}
    summary = enrol(company.warehouse, play, falls(company, accounts), settings, MONDAY)
    assert dict(summary.refused) == {"hold_out": len(left_out)}
    assert set(company.column("select account_id from cs.enrolments where reason = 'hold_out'")) == left_out
    assert left_out.isdisjoint(company.column("select account_id from cs.actions"))


def test_the_hold_out_is_of_those_who_would_be_enrolled(company: Company, settings: Settings) -> None:
    settings = settings.model_copy(update={"breaker_from": 1_000})
    accounts = company.accounts(20, severity=0)
    summary = enrol(company.warehouse, save_play(hold_out=0.5), falls(company, accounts), settings, MONDAY)
    assert dict(summary.refused) == {"recovered": 20}


def test_the_hold_out_is_a_share_that_stays_and_differs_by_playbook() -> None:
    accounts = _series([f"A-{number:05}" for number in range(10_000)])
    tenth = held_out(save_play(hold_out=0.1), accounts)
    assert 0.09 < tenth.mean() < 0.11
    assert tenth.equals(held_out(save_play(hold_out=0.1, title="Another version"), accounts))
    assert held_out(save_play(hold_out=0.2), accounts)[tenth].all()
    other = held_out(save_play(hold_out=0.1, playbook="other"), accounts)
    assert (tenth & other).mean() < 0.02
    assert not held_out(save_play(), accounts).any()


def _series(accounts: list[str]):
    import pandas as pd

    return pd.Series(accounts)
