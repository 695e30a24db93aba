"""What operators decide and ask in the Dagster UI: the jobs do what the commands of the same names do."""

from typing import get_args

import dagster as dg
import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.jobs.operations import (
    Decision,
    SwitchScope,
    decide_on_actions,
    preview_play,
    stop_or_resume,
    why_action,
)
from cs_pipeline.plays.outbox import kill_switch, manual_actions
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company
from tests.builders.delivering import deliver, enrolled, one_mail_play, states


def run(
    company: Company, settings: Settings, job: dg.JobDefinition, op: str, **config: object
) -> list[dg.AssetObservation]:
    """Run `job`, and return what it told."""
    result = job.execute_in_process(
        run_config={"ops": {op: {"config": config}}},
        resources={"warehouse": company.warehouse, "settings": settings, "clock": Clock(MONDAY)},
    )
    told = [event.asset_observation_data.asset_observation for event in result.get_asset_observation_events()]
    assert not any("@" in str(each.metadata) for each in told), "Dagster keeps what it shows"
    return told


def test_an_offer_is_approved_and_then_goes_out(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play(intent="offer"), count=2)
    assert states(company) == {("awaiting_approval", None): 2}
    (action_id, _) = company.column("select action_id from cs.actions order by 1")
    (told,) = run(
        company, settings, decide_on_actions, "decide", decision="approve", actions=[action_id], decided_by="olga"
    )
    assert told.description == "1 approved: taken when due"
    assert deliver(company.warehouse, settings, clock).count("captured") == 1
    assert states(company) == {("awaiting_approval", None): 1, ("sent", None): 1}
    assert company.run("select decision, decided_by from cs.action_decisions") == [("approve", "olga")]


def test_a_decision_that_cannot_be_changes_nothing_and_says_why(company: Company, settings: Settings) -> None:
    enrolled(company, settings, one_mail_play())
    with pytest.raises(UserError, match="is planned; approve is for awaiting_approval"):
        run(company, settings, decide_on_actions, "decide", decision="approve", actions=[1])
    assert states(company) == {("planned", None): 1}


def test_the_story_of_an_action_is_told(company: Company, settings: Settings) -> None:
    enrolled(company, settings, one_mail_play())
    (told,) = run(company, settings, why_action, "explain", action=1)
    assert "is step guide of yellow" in str(told.metadata["story"].value)


def test_a_preview_says_what_each_step_would_do_and_writes_nothing(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    (told,) = run(company, settings, preview_play, "show_preview", playbook="yellow_adoption", account="acme")
    steps = told.metadata["steps"]
    assert isinstance(steps, dg.TableMetadataValue)
    assert [record.data["step"] for record in steps.records][:2] == ["quick_guide", "review_account"]
    assert company.column("select count(*) from cs.enrolments") == [0]
    with pytest.raises(UserError, match="There is no playbook 'yellow'"):
        run(company, settings, preview_play, "show_preview", playbook="yellow", account="acme")


def test_the_kill_switch_stops_and_lets_go_on(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play())
    run(company, settings, stop_or_resume, "set_kill_switch", scope="playbook", name="yellow", reason="wrong price")
    deliver(company.warehouse, settings, clock)
    assert states(company) == {("planned", "kill_switch"): 1}
    run(company, settings, stop_or_resume, "set_kill_switch", scope="playbook", name="yellow", stops=False)
    deliver(company.warehouse, settings, clock)
    assert states(company) == {("sent", None): 1}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"scope": "playbook", "reason": "why"}, "Name the playbook"),
        ({"scope": "everything"}, "Say why"),
        ({"scope": "everything", "stops": False}, "was not stopped"),
    ],
)
def test_a_switch_that_cannot_be_thrown_says_why(
    company: Company, settings: Settings, config: dict[str, object], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        run(company, settings, stop_or_resume, "set_kill_switch", **config)


def test_the_launchpad_offers_what_the_commands_do() -> None:
    assert [verb.value for verb in Decision] == list(manual_actions.DECISIONS)
    assert [scope.value for scope in SwitchScope] == list(get_args(kill_switch.Scope))
