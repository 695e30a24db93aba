"""How far plays are: steps, milestones, health, risks and what comes next, out of what became of the steps."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pandas as pd
import pytest
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.assets.reviews import progress_of_plays
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.reports.plays.progress import progress, progress_table
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, playbook, save_play

ONBOARDING = """
playbook: welcome
title: Welcome
description: For tests.
family: onboarding
priority: 50
trigger: {kind: lifecycle}
milestones:
  - {milestone: Activated, day: 1, criteria: [Login], responsible: CSM}
  - {milestone: First success, day: 3, criteria: [Sent], responsible: Customer}
  - {milestone: Adopted, day: 14, criteria: [Used], responsible: Joint}
  - {milestone: Graduated, day: 30, criteria: [Done], responsible: CSM}
steps:
  - {step: hello, day: 0, channel: email, to: point_of_contact, template: t, intent: inform}
  - {step: kick_off, title: Kick-off call, day: 1, channel: crm, to: owner, template: t, intent: inform}
  - {step: extra, day: 2, channel: crm, to: owner, template: t, intent: inform, when: is_high_value}
  - {step: training, day: 3, channel: crm, to: owner, template: t, intent: educate}
  - {step: review, day: 14, channel: crm, to: owner, template: t, intent: inform}
  - {step: graduation, day: 30, channel: email, to: point_of_contact, template: t, intent: inform}
"""


@pytest.fixture
def company(company: Company) -> Company:
    company.run("create table staging.stg_onboarding_progress (account_id text, step text, position integer, "
                "completed_at timestamptz)")  # fmt: skip
    return company


def begin(company: Company, settings: Settings, play: Playbook, account: str) -> None:
    """Enrol an account into a play at MONDAY, whatever starts it."""
    trigger = company.fall(account) if play.trigger.kind == "score_change" else company.trigger("lifecycle", account)
    assert enrol(company.warehouse, play, [trigger], settings, MONDAY).enrolled == 1


def became(company: Company, step: str, status: str, reason: str | None = None, *, task: str | None = None) -> None:
    """What became of a step; `task` is what the CRM says of the task that it is."""
    company.run("update cs.actions set status = %s, reason = %s where step = %s", status, reason, step)
    if task is None:
        return
    company.run(
        """
        insert into cs.crm_tasks (
            external_id, kind, account_id, title, body, assignee, due_on, priority, status, created_at, completed_at
        )
        select action_key, 'task', account_id, step, '', 'olga@ours.example', due_at::date, 'normal', %s, due_at, %s
        from cs.actions where step = %s
        """,
        task,
        MONDAY if task == "completed" else None,
        step,
    )


def at(company: Company, days: int, **chosen: str) -> dict[str, object]:
    """The one row of progress, so many days after MONDAY."""
    with company.warehouse.session() as session:
        (row,) = progress(session, MONDAY + timedelta(days=days), **chosen).to_dict("records")
    return {str(name): value for name, value in row.items()}


@pytest.mark.requirement("S4-44")
def test_milestones_are_reached_one_after_the_other(company: Company, settings: Settings) -> None:
    company.account("acme")
    begin(company, settings, playbook(ONBOARDING), "acme")
    row = at(company, 0)
    assert row["completed_milestones"] == []
    assert (row["current_milestone"], row["upcoming_milestones"]) == (
        "Activated",
        ["First success", "Adopted", "Graduated"],
    )
    became(company, "hello", "sent")
    became(company, "kick_off", "sent", task="not_started")
    assert at(company, 1)["current_milestone"] == "Activated"
    company.run("update cs.crm_tasks set status = 'completed'")
    assert at(company, 1)["completed_milestones"] == ["Activated"]
    became(company, "extra", "suppressed", "condition")  # was not needed, so it is not missing
    became(company, "training", "sent", task="completed")
    row = at(company, 4)
    assert row["completed_milestones"] == ["Activated", "First success"]
    assert (row["current_milestone"], row["upcoming_milestones"]) == ("Adopted", ["Graduated"])
    assert (row["health"], row["risks"]) == ("on track", [])
    assert at(company, 20)["risks"] == ["Adopted: the milestone was due on 2025-03-24"]


@pytest.mark.requirement("S4-44")
def test_an_onboarding_without_milestones_goes_by_the_steps_in_the_product(
    company: Company, settings: Settings
) -> None:
    company.account("acme")
    for position, (step, done) in enumerate([("team_invited", 1), ("data_imported", 3), ("first_report", None)], 1):
        company.insert(
            "staging.stg_onboarding_progress",
            account_id="acme",
            step=step,
            position=position,
            completed_at=None if done is None else MONDAY + timedelta(days=done),
        )
    play = playbook(ONBOARDING).model_copy(update={"milestones": ()})
    begin(company, settings, play, "acme")
    row = at(company, 2)
    assert row["completed_milestones"] == ["Team invited"]
    assert (row["current_milestone"], row["upcoming_milestones"]) == ("Data imported", ["First report"])
    assert at(company, 4)["current_milestone"] == "First report"


@pytest.mark.requirement("S4-187")
def test_completion_counts_what_was_done_of_what_was_needed(company: Company, settings: Settings) -> None:
    company.account("acme")
    begin(company, settings, playbook(ONBOARDING), "acme")
    became(company, "hello", "sent")
    became(company, "kick_off", "sent", task="completed")
    became(company, "extra", "suppressed", "condition")
    became(company, "training", "sent", task="not_started")
    row = at(company, 3)
    assert (row["done"], row["steps"], row["completion"]) == (2, 5, 0.4)
    assert (row["health"], row["day"]) == ("on track", 3)
    assert row["next_actions"] == [
        "2025-03-13 Training (to be completed, owner)",
        "2025-03-24 Review (crm, owner)",
        "2025-04-09 Graduation (email, point of contact)",
    ]


@pytest.mark.requirement("S4-187")
@pytest.mark.parametrize(
    ("status", "reason", "task", "health", "risk"),
    [
        ("sent", None, "not_started", "behind", "Check: the task was due on 2025-03-12"),
        ("suppressed", "stale", None, "behind", "Check: not taken (stale)"),
        ("awaiting_approval", None, None, "behind", "Check: waits for approval since 2025-03-12"),
        ("failed", "refused", None, "at risk", "Check: failed (refused)"),
        ("uncertain", "no_answer", None, "at risk", "Check: nobody knows whether it arrived"),
        ("sent", None, "completed", "on track", None),
        ("suppressed", "condition", None, "on track", None),
        ("planned", None, None, "on track", None),
    ],
)
def test_what_is_wrong_is_told(
    company: Company,
    settings: Settings,
    status: str,
    reason: str | None,
    task: str | None,
    health: str,
    risk: str | None,
) -> None:
    company.account("acme", severity=1)
    begin(company, settings, save_play(), "acme")
    became(company, "check", status, reason, task=task)
    row = at(company, 4)
    assert row["health"] == health
    assert row["risks"] == ([] if risk is None else [risk])


@pytest.mark.requirement("S4-187")
def test_an_account_at_risk_puts_its_play_at_risk_and_first(company: Company, settings: Settings) -> None:
    for account, severity in (("fine", 1), ("falling", 3), ("late", 1)):
        company.account(account, severity=severity)
        begin(company, settings, save_play(exit=[]), account)
    company.run("update cs.actions set status = 'suppressed', reason = 'stale' where account_id = 'late'")
    with company.warehouse.session() as session:
        found = progress(session, MONDAY)
    assert found[["account_id", "health"]].to_numpy().tolist() == [
        ["falling", "at risk"],
        ["late", "behind"],
        ["fine", "on track"],
    ]
    assert found["risks"].iloc[0] == ["The account is Red, score 20"]


def test_of_one_account_plays_that_ended_are_told_too(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    begin(company, settings, save_play(), "acme")
    company.run("update cs.enrolments set status = 'exited', reason = 'recovered', ended_at = %s", MONDAY)
    company.run("update cs.actions set status = 'cancelled', reason = 'recovered'")
    row = at(company, 30, account_id="acme")
    assert (row["health"], row["reason"], row["risks"]) == ("ended", "recovered", [])
    with company.warehouse.session() as session:
        assert progress(session, MONDAY).empty
        assert progress(session, MONDAY, account_id="acme", playbook="another").empty


def test_a_task_that_was_removed_in_the_crm_is_dropped(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    begin(company, settings, save_play(), "acme")
    company.run(
        "update cs.actions set status = 'sent', delivery = 'live', provider_id = 'hubspot/task/7' where step = 'check'"
    )
    assert at(company, 1)["next_actions"] == [
        "2025-03-10 Guide (email, point of contact)",
        "2025-03-12 Check (to be completed, owner)",
        "2025-03-17 Tip (email, champion)",
    ]
    company.run(
        "insert into cs.crm_readings (action_key, status, read_at) "
        "select action_key, 'removed', %s from cs.actions where step = 'check'",
        MONDAY,
    )
    assert at(company, 1)["risks"] == ["Check: somebody removed the task"]


def run(*arguments: str) -> str:
    return " ".join(CliRunner().invoke(app, list(arguments), catch_exceptions=False).output.split())


@pytest.fixture
def environment(company: Company, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(settings.home))
    monkeypatch.setenv("CS_PIPELINE_NOW", (MONDAY + timedelta(days=4)).isoformat())


@pytest.mark.usefixtures("environment")
def test_the_command_tells_one_account_in_full_and_says_so_when_there_is_nothing(
    company: Company, settings: Settings
) -> None:
    assert run("play", "progress") == "No play is running."
    assert run("play", "progress", "acme") == "acme is in no play, and was in none."
    with pytest.raises(UserError, match="There is no playbook 'no_such'"):
        run("play", "progress", "--playbook", "no_such")
    company.account("acme")
    begin(company, settings, playbook(ONBOARDING), "acme")
    became(company, "hello", "sent")
    became(company, "kick_off", "sent", task="completed")
    told = run("play", "progress", "acme")
    assert "Acme (acme), Welcome: day 4, behind Steps: 2 of 6 done" in told
    assert "Milestones reached: Activated" in told
    assert "Milestone now: First success" in told
    assert "Risks: First success: the milestone was due on 2025-03-13" in told
    assert "2025-04-09 Graduation (email, point of contact)" in told
    company.account("brill", severity=1)
    begin(company, settings, save_play(), "brill")
    of_all = run("play", "progress")
    assert "Milestone now: First success" in of_all
    assert "Training (crm, owner); 2 more Brill (brill), Yellow: day 4, on track Steps: 0 of 3 done Next:" in of_all
    assert run("play", "progress", "--limit", "1").endswith("1 of 2 plays; --limit shows more.")


def test_the_asset_shows_a_table_without_any_address(company: Company, settings: Settings) -> None:
    company.account("acme", severity=3)
    begin(company, settings, save_play(exit=[]), "acme")
    result = progress_of_plays(warehouse=company.warehouse, clock=Clock(MONDAY))
    assert isinstance(result, dg.MaterializeResult)
    assert result.metadata is not None
    assert result.metadata["by_health"] == {"at risk": 1}
    (record,) = result.metadata["progress"].records  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
    assert record.data["next"] == "2025-03-10 Guide (email, point of contact)"
    assert "@" not in str(result.metadata)
    nothing = progress_table(pd.DataFrame(columns=list(_columns(company))))
    assert nothing.empty


def _columns(company: Company) -> list[str]:
    with company.warehouse.session() as session:
        return list(progress(session, datetime(2020, 1, 1, tzinfo=UTC), account_id="nobody").columns)
