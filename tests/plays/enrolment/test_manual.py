"""A play that a person starts goes through every guard, once."""

from datetime import timedelta

import dagster as dg
import pytest
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.jobs.start_play import StartConfig, start_accounts
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.enrolment.manual import Started, start
from cs_pipeline.plays.outbox import kill_switch
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.triggers.manual import Ask
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play

BY_HAND = save_play(playbook="by_hand", priority=90, trigger={"kind": "manual"}, reentry_after_days=30)
OLGA = Ask("olga", "they called")


def outcomes(found: Started) -> dict[str, str]:
    return {
        account: f"{outcome} {reason}".strip()
        for account, outcome, reason in found.outcomes[["account_id", "outcome", "reason"]].itertuples(index=False)
    }


@pytest.mark.requirement("S3-45")
def test_who_enters_is_enrolled_and_whoever_does_not_is_told_why(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    company.account("well", severity=0)
    company.account("stopped", severity=1)
    with company.warehouse.session() as session:
        kill_switch.stop(session, "account", "stopped", "in litigation", "legal", MONDAY)
    found = start(company.warehouse, BY_HAND, ["acme", "well", "stopped", "nobody", "acme"], OLGA, settings, MONDAY)
    assert outcomes(found) == {
        "acme": "enrolled",
        "well": "refused recovered",
        "stopped": "refused kill_switch",
        "nobody": "refused unknown_account",
    }
    assert "a person has stopped the playbook or the account" in found.outcomes["words"].tolist()
    ((kind, facts),) = company.run("select kind, facts from cs.triggers where account_id = 'acme'")
    assert (kind, facts["started_by"], facts["start_reason"]) == ("manual", "olga", "they called")
    assert company.column("select distinct status from cs.actions") == ["planned"]


def test_asking_again_on_the_same_day_or_with_the_same_key_starts_nothing(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)

    def ask(play_key: str, days: int) -> tuple[int, dict[str, str]]:
        now = MONDAY + timedelta(days=days)
        found = start(company.warehouse, BY_HAND, ["acme"], Ask("olga", key=play_key), settings, now)
        return found.new, outcomes(found)

    assert ask("", 0) == (1, {"acme": "enrolled"})
    assert ask("", 0) == (0, {"acme": "enrolled"})
    assert ask("case-7", 0) == (1, {"acme": "refused family"})
    assert ask("case-7", 90) == (0, {"acme": "refused family"})
    company.run("update cs.enrolments set status = 'completed', ended_at = %s where status = 'active'", MONDAY)
    assert ask("", 7) == (1, {"acme": "refused reentry"})
    assert company.column("select count(*) from cs.actions") == [3]


def test_a_person_outranks_what_a_score_started(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    enrol(company.warehouse, save_play(), [company.fall("acme")], settings, MONDAY)
    start(company.warehouse, BY_HAND, ["acme"], OLGA, settings, MONDAY)
    assert company.run("select playbook, status, reason from cs.enrolments order by 1") == [
        ("by_hand", "active", None),
        ("yellow", "exited", "outranked"),
    ]


def test_so_many_at_once_wait_for_a_person(company: Company, settings: Settings) -> None:
    accounts = company.accounts(4)
    careful = settings.model_copy(update={"breaker_from": 2})
    found = start(company.warehouse, BY_HAND, accounts, OLGA, careful, MONDAY)
    assert set(outcomes(found).values()) == {"waiting"}
    assert found.trip is not None
    assert "cs-pipeline play release by_hand" in found.trip.words


def test_only_plays_that_people_start_are_started_by_hand(company: Company, settings: Settings) -> None:
    with pytest.raises(UserError, match="yellow is started by score change, not by hand"):
        start(company.warehouse, save_play(), ["acme"], OLGA, settings, MONDAY)
    with pytest.raises(UserError, match="Name 1 to 1,000 accounts"):
        start(company.warehouse, BY_HAND, [], OLGA, settings, MONDAY)
    assert company.column("select count(*) from cs.triggers") == [0]


@pytest.mark.requirement("S3-45")
def test_the_command_starts_the_save_offer_and_says_what_came_of_it(
    company: Company, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(settings.home))
    monkeypatch.setenv("CS_PIPELINE_NOW", MONDAY.isoformat())
    company.account("acme", severity=3)

    def run(*arguments: str) -> str:
        return " ".join(CliRunner().invoke(app, ["play", "start", *arguments], catch_exceptions=False).output.split())

    assert "acme enrolled" in run("save_offer", "acme", "--reason", "worth a fight", "--by", "olga")
    assert "All of this was asked for before" in run("save_offer", "acme")
    with pytest.raises(UserError, match="red_save is started by score change, not by hand"):
        run("red_save", "acme")
    with pytest.raises(UserError, match="There is no playbook 'no_such'"):
        run("no_such", "acme")
    steps = load_playbooks(None)["save_offer"].steps
    assert company.column("select count(*) from cs.actions") == [len(steps)]


def test_the_job_does_the_same(company: Company, settings: Settings) -> None:
    company.account("acme", severity=3)
    config = StartConfig(playbook="save_offer", accounts=["acme", "nobody"], reason="worth a fight")
    resources = {"warehouse": company.warehouse, "settings": settings, "clock": Clock(MONDAY)}
    with dg.build_op_context(resources=resources) as context:
        start_accounts(context, config)
        (event,) = context.get_events()
    assert event.description == "Save offer, by hand: 1 enrolled, 1 refused"
    assert event.metadata["asked_for_before"].value == 0
    with dg.build_op_context(resources=resources) as context:
        start_accounts(context, config)
        (again,) = context.get_events()
    assert again.metadata["asked_for_before"].value == 2
    assert company.column("select count(*) from cs.enrolments") == [2]
