"""`doctor` looks at every score model of the team, also at one that nothing computes yet."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from cs_pipeline.cli.doctor.alerts import examine_alerts
from cs_pipeline.cli.doctor.answers import examine_answers
from cs_pipeline.cli.doctor.examine import examine
from cs_pipeline.cli.doctor.finding import Finding
from cs_pipeline.health.library import SHIPPED
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.playbooks.reading import SHIPPED as SHIPPED_PLAYBOOKS
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.alerts import fire
from tests.builders.company import MONDAY, Company, save_play


def said_of_score_models(config: Path) -> Finding:
    settings = Settings(home=config / "home", config=config)
    return next(finding for finding in examine(settings) if finding.subject == "score models")


def test_a_new_model_file_is_checked_before_anything_computes_it(tmp_path: Path) -> None:
    text = (SHIPPED / "weekly_points.yaml").read_text(encoding="utf-8")
    own = text[: text.index("variants:")].replace("model: weekly_points", "model: ours", 1)
    path = tmp_path / "score_models" / "ours.yaml"
    path.parent.mkdir()
    path.write_text(own.replace("coverage_floor:", "coverage_flor:"), encoding="utf-8")
    found = said_of_score_models(tmp_path)
    assert found.state == "wrong"
    assert "selection.yaml" not in found.words  # what is computed does not depend on it
    assert "ours.yaml:7: coverage_flor: is not a field here" in found.words
    path.write_text(own, encoding="utf-8")
    found = said_of_score_models(tmp_path)
    assert found.state == "ok"
    assert "valid and not computed: ours, weekly_points_halve" in found.words


def said_of(subject: str, settings: Settings) -> tuple[str, str]:
    return next((finding.state, finding.words) for finding in examine(settings) if finding.subject == subject)


def test_what_a_connected_crm_and_a_webhook_lack_is_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, delivery="live", crm="salesforce", webhook_url=SecretStr("https://x.example"))
    state, words = said_of("delivery", settings)
    assert state == "wrong"
    for name in ("SENDGRID_API_KEY", "SLACK_BOT_TOKEN", "SALESFORCE_DOMAIN", "SALESFORCE_CLIENT_SECRET"):
        assert f"CS_PIPELINE_{name}" in words
    assert "CS_PIPELINE_WEBHOOK_SECRET" in words
    assert "HUBSPOT" not in words


@pytest.mark.requirement("C-29")
def test_how_text_messages_travel_is_told(tmp_path: Path) -> None:
    url = SecretStr("https://hooks.example.com/secret")
    assert "by e-mail" in said_of("text messages", Settings(home=tmp_path))[1]
    assert said_of("text messages", Settings(home=tmp_path, webhook_url=url)) == ("ok", "over the webhook")


def test_where_our_own_people_are_told_is_told_and_what_waits_for_an_address(tmp_path: Path) -> None:
    url, token = SecretStr("https://x.example/secret"), SecretStr("xoxb")
    assert said_of("chat", Settings(home=tmp_path))[1].startswith("Slack; Microsoft Teams once")
    both = Settings(home=tmp_path, teams_webhook_url=url, slack_bot_token=token)
    assert said_of("chat", both) == ("ok", "Slack and Microsoft Teams")
    assert "for Slack's messages as well" in said_of("chat", Settings(home=tmp_path, teams_webhook_url=url))[1]
    (tmp_path / "playbooks").mkdir()
    text = (SHIPPED_PLAYBOOKS / "red_save.yaml").read_text(encoding="utf-8").replace("red_save", "in_teams", 1)
    (tmp_path / "playbooks" / "in_teams.yaml").write_text(text.replace("channel: slack", "channel: teams"))
    state, words = said_of("chat", Settings(home=tmp_path / "home", config=tmp_path, delivery="live"))
    assert (state, "TEAMS_WEBHOOK_URL is not set" in words, "in_teams" in words) == ("wrong", True, True)


@pytest.mark.requirement("S4-187")
def test_where_tasks_stand_and_when_they_were_read_is_told(tmp_path: Path, warehouse: Warehouse) -> None:
    settings = Settings(home=tmp_path, database_url=SecretStr(warehouse.url))
    assert said_of("CRM", settings) == ("ok", "none connected; 0 open tasks here: `cs-pipeline task list`")
    assert said_of("CRM", settings.model_copy(update={"crm": "hubspot"}))[0] == "note"
    live = settings.model_copy(update={"crm": "hubspot", "delivery": "live"})
    assert said_of("CRM", live) == ("ok", "hubspot: 0 open tasks, not read back yet")


def test_before_the_first_command_nothing_is_wrong_and_what_to_run_is_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    assert said_of("PostgreSQL", settings)[0] == "note"
    assert "`cs-pipeline load DIR`" in said_of("PostgreSQL", settings)[1]
    assert not [finding for finding in examine(settings) if finding.state == "wrong"]


def test_rules_that_say_nothing_and_alerts_that_are_held_are_told(tmp_path: Path, company: Company) -> None:
    settings = Settings(home=tmp_path)

    def found(now: datetime = MONDAY) -> dict[str, str]:
        return {f"{each.state} {each.subject}": each.words for each in examine_alerts(company.warehouse, settings, now)}

    assert "none evaluated yet" in found()["note alert rules"]
    for rule, health in (("invoice_overdue", "error"), ("no_login", "no_data")):
        company.insert(
            "cs.alert_evaluations", rule=rule, as_of=MONDAY.replace(hour=6), version="v", health=health, clock=0,
            error="division by zero", evaluated_at=MONDAY,
        )  # fmt: skip
    fire(company.warehouse, "invoice_overdue", "acme", "i1", is_held=True)
    assert found() == {
        "ok alert rules": found()["ok alert rules"],
        "wrong alert rules": "cannot be evaluated: invoice_overdue: `cs-pipeline alert rules`",
        "note alert rules": "without data they can believe, so they say nothing: no_login: `cs-pipeline alert rules`",
        "wrong held alerts": "invoice_overdue would fire 1 times at once, and has told nobody: decide with "
        "`cs-pipeline alert release invoice_overdue` or `cs-pipeline alert dismiss invoice_overdue`",
    }
    assert "nobody asks invoice_overdue" in found(MONDAY + timedelta(days=1))["wrong alert rules"]


def test_whether_events_of_mails_come_in_is_told(company: Company, settings: Settings) -> None:
    with_key = settings.model_copy(update={"sendgrid_webhook_key": "MFkw"})

    def found(settings: Settings) -> list[Finding]:
        return list(examine_answers(company.warehouse, settings, MONDAY))

    assert [(each.state, "CS_PIPELINE_SENDGRID_WEBHOOK_KEY" in each.words) for each in found(settings)] == [
        ("ok", True)
    ]
    assert [each.state for each in found(settings.model_copy(update={"delivery": "live"}))] == ["note"]
    assert [each.words for each in found(with_key)] == ["none came in 7 days"]
    company.account("acme", severity=1)
    enrol(company.warehouse, save_play(exit=[]), [company.fall("acme")], settings, MONDAY)
    company.run("update cs.actions set channel = 'email', delivery = 'live'")
    company.run(
        "insert into cs.action_attempts (action_id, attempt, claimed_by, claimed_at) "
        "select action_id, 1, 'w', %s from cs.actions limit 1",
        MONDAY - timedelta(hours=2),
    )
    (silent,) = found(with_key)
    assert (silent.state, "though mails went out" in silent.words) == ("wrong", True)
    company.insert("cs.sendgrid_events", event_key=str(UUID(int=1)), received_at=MONDAY, body="{}", problem="p")
    came, malformed = found(with_key)
    assert (came.state, came.words) == ("ok", "the newest came 2025-03-10 12:00 UTC")
    assert "cs-pipeline data rejects --table email_events" in malformed.words


def test_files_of_the_folder_of_configuration_are_read_and_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    config = tmp_path / "config"
    settings = Settings(home=tmp_path / "home", config=config)
    assert said_of("configuration", settings) == (
        "wrong", f"CS_PIPELINE_CONFIG names {config}, and there is no such folder"
    )  # fmt: skip
    config.mkdir()
    assert said_of("configuration", settings) == ("ok", str(config))
    (config / "alerts.yaml").write_text("rules: {invoice_overdue: {parameters: {days: many}}}\n")
    (config / "routing.yaml").write_text("rules: 3\n")
    assert said_of("rules", settings)[0] == "wrong"
    state, words = said_of("other files", settings)
    assert state == "wrong"
    assert "routing.yaml:1: rules" in words
