"""Due actions that nobody takes are a standstill, under the first cause that explains it; a busy outbox is none."""

from datetime import timedelta

import pytest

from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.outbox.kill_switch import EVERYTHING, stop
from cs_pipeline.plays.outbox.standstill import Surroundings, Waiting, waiting, what_stands_still
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


NOW = MONDAY
OLD, FRESH = NOW - minutes(5), NOW - minutes(3)
MAIL = Waiting("email", 12, OLD, None)


def cause(*channels: Waiting, around: Surroundings | None = None) -> str | None:
    found = what_stands_still(channels, around or Surroundings(), NOW)
    return found.cause if found else None


def test_all_goes_on_while_actions_are_young_or_their_channel_is_at_work() -> None:
    assert cause() is None
    assert cause(Waiting("email", 12, FRESH, None)) is None
    assert cause(Waiting("email", 100_000, NOW - timedelta(days=1), FRESH)) is None, "a backlog that shrinks"


def test_a_channel_that_nobody_takes_is_told_though_others_go_on() -> None:
    slack = Waiting("slack", 3, OLD, FRESH)
    found = what_stands_still([MAIL, slack], Surroundings(), NOW)
    assert found
    assert (found.cause, found.actions) == ("channels email", 12)
    assert "12 due actions (email) wait since" in found.words
    assert "slack" not in found.words


def test_no_daemon_is_a_standstill_also_while_nothing_is_due() -> None:
    gone = Surroundings(no_daemon="The daemon is gone.")
    assert cause(around=gone) == "daemon"
    assert cause(MAIL, around=Surroundings("gone", OLD, "run", "sensor")) == "daemon"


def test_a_run_may_judge_for_a_while_and_is_then_the_cause() -> None:
    assert cause(MAIL, around=Surroundings(run_since=NOW - minutes(14), run="a run", sensor="old")) is None
    assert cause(MAIL, around=Surroundings(run_since=NOW - minutes(16), run="a run")) == "run"
    assert cause(around=Surroundings(run_since=NOW - minutes(16), run="a run")) is None


def test_a_sensor_that_is_off_or_fails_is_the_cause() -> None:
    assert cause(MAIL, around=Surroundings(sensor="it fails")) == "sensor"


@pytest.fixture
def due(company: Company, settings: Settings) -> Company:
    """Two mails that are due since Monday noon."""
    enrol(company.warehouse, save_play(), [company.fall(each) for each in company.accounts(2)], settings, MONDAY)
    return company


def found_waiting(due: Company) -> list[Waiting]:
    with due.warehouse.session() as session:
        return waiting(session, MONDAY + minutes(5))


def test_what_waits_is_read_from_the_outbox(due: Company) -> None:
    assert found_waiting(due) == [Waiting("email", 2, MONDAY, None)]


def test_what_a_person_has_stopped_does_not_wait(due: Company) -> None:
    with due.warehouse.session() as session:
        stop(session, "everything", EVERYTHING, "wrong price", "ada", MONDAY)
    assert found_waiting(due) == []
