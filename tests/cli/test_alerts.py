"""`alert`: what people see of alerts and rules, and how a rule is tried, on the command line."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from cs_pipeline.cli import app, main
from cs_pipeline.settings import Settings
from tests.builders.alerts import fire, view_of
from tests.builders.company import MONDAY, Company

RULE = "invoice_overdue"
Say = Callable[..., str]


@pytest.fixture
def say(company: Company, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs a command on the company, at its present."""
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(settings.home))
    monkeypatch.setenv("CS_PIPELINE_NOW", MONDAY.isoformat())
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> str:
        return CliRunner().invoke(app, ["alert", *arguments], catch_exceptions=False).output

    return run


def refusal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    monkeypatch.setattr("sys.argv", ["cs-pipeline", "alert", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    return capsys.readouterr().err


def test_without_alerts_the_lists_say_so(say: Say) -> None:
    assert say("list").startswith("No alert is open.")
    assert json.loads(say("list", "--json")) == []
    assert say("list", "--show", "held").startswith("No alert is held.")
    (row,) = [row for row in json.loads(say("rules", "--json")) if row["rule"] == RULE]
    assert (row["health"], row["open"], row["precision"]) == (None, 0, None)


def test_the_most_severe_alert_of_who_pays_most_comes_first(say: Say, company: Company) -> None:
    for account, arr in (("small", 1_000.0), ("large", 90_000.0)):
        company.account(account, arr=arr)
    fire(company.warehouse, RULE, "small", "i1", severity="urgent", measured=11)
    fire(company.warehouse, RULE, "small", "i2", measured=12)
    fire(company.warehouse, RULE, "large", "i3", measured=13)
    fire(company.warehouse, RULE, "large", "i4", is_held=True)
    fire(company.warehouse, RULE, "large", "i5", state="pending")
    found = json.loads(say("list", "--json"))
    assert [row["entity"] for row in found] == ["i1", "i3", "i2"]
    assert found[1]["what"] == "Invoice i3 is 13 days overdue"
    assert [row["entity"] for row in json.loads(say("list", "--json", "--show", "held"))] == ["i4"]
    assert [row["entity"] for row in json.loads(say("list", "--json", "--show", "pending"))] == ["i5"]
    assert [row["entity"] for row in json.loads(say("list", "--json", "--account", "large"))] == ["i3"]
    assert "Invoice i2 is 12" in say("list", "--owner", "OLGA@ours.example")
    assert say("list", "--owner", "otto@ours.example").startswith("No alert is open.")


def test_an_alert_tells_its_story(say: Say, company: Company) -> None:
    company.account("acme", arr=12_000.0)
    alert = fire(company.warehouse, RULE, "acme", "i1", measured=11, facts={"amount": 50}, acknowledged_by="olga")
    fire(company.warehouse, RULE, "acme", "i2", measured=30)
    told = " ".join(say("show", str(alert)).split())
    assert told.startswith(
        "Invoice i1 is 11 days overdue Rule invoice_overdue (risk, high, asked daily): An invoice is"
    )
    assert "Account Acme (acme), ARR 12,000, owner olga@ours.example." in told
    assert "It fires since 2025-03-10 06:00 UTC." in told
    assert "acknowledged by olga" in told
    assert "amount 50" in told
    assert "Invoice i2 is 30 days overdue" in told


def test_what_a_rule_of_a_customer_says_cannot_act_on_the_terminal(say: Say, company: Company) -> None:
    company.account("acme")
    fire(company.warehouse, RULE, "acme", "i\x1b[2J\n1 [red]x[/red]", measured=11)
    shown = say("list")
    assert "\x1b" not in shown
    assert r"i\x1b[2J\n1 [red]x[/red]" in " ".join(shown.split())


def test_a_rule_is_tried_and_nothing_is_written(say: Say, company: Company) -> None:
    view_of(company, RULE, [("acme", "i1", 12.0), ("acme", "i2", 30.0), ("bolt", "i3", 11.0)])
    shown = say("test", RULE)
    assert "invoice_overdue, as of 2025-03-10 06:00 UTC" in shown
    assert "Parameters: days = 10" in shown
    assert "It finds 3 rows of 2 accounts." in shown
    assert "Invoice i2 is 30 days overdue" in shown
    assert [row["entity"] for row in json.loads(say("test", RULE, "--json", "--account", "acme"))] == ["i2", "i1"]
    assert "of which 1 are shown" in say("test", RULE, "--limit", "1")
    assert "as of 2025-01-06 00:00 UTC" in say("test", RULE, "--as-of", "2025-01-06")
    assert company.column("select count(*) from cs.alerts") == [0]
    assert company.column("select count(*) from cs.alert_evaluations") == [0]


def test_a_trial_calls_accounts_by_their_name(say: Say, company: Company) -> None:
    company.account("acme")
    view_of(company, "no_login", [("acme", "acme", 9.0)])
    assert "Nobody at Acme has logged in for 9 days" in " ".join(say("test", "no_login").split())


def test_a_trial_goes_by_the_parameters_of_the_files(
    say: Say, company: Company, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    view_of(company, RULE, [("acme", "i1", 12.0)])
    settings.home.mkdir()
    (settings.home / "alerts.yaml").write_text(
        f"rules:\n  {RULE}:\n    parameters: {{days: {{by_tier: {{pro: 20}}}}}}\n"
    )
    monkeypatch.setenv("CS_PIPELINE_CONFIG", str(settings.home))
    shown = say("test", RULE)
    assert "Parameters: days = 10" in shown
    assert "Parameters of pro: days = 20" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["test", RULE], "is not built"),
        (["test", "invoices_overdue"], "There is no alert rule 'invoices_overdue'; did you mean invoice_overdue?"),
        (["show", "17"], "There is no alert 17"),
        (["list", "--show", "loud"], "--show is 'loud'; expected open, baseline, pending"),
        (["run", "--weekly"], "No week is scored yet"),
        (["ack", "17"], "There is no open alert 17"),
        (["snooze", "17", "--until", "2025-01-01", "--reason", "x"], "2025-01-01 00:00 is past"),
        (["silence", "--reason", "x"], "Say which rule or which account"),
        (["silence", "--rule", "nologin", "--reason", "x"], "There is no alert rule 'nologin'"),
        (["lift", "17"], "There is no silence 17"),
        (["release", RULE], "holds nothing"),
    ],
)
def test_what_cannot_be_shown_is_told_in_a_sentence(
    say: Say,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    assert words in " ".join(refusal(capsys, monkeypatch, *arguments).split())


def test_rules_that_are_due_are_evaluated_once(say: Say, company: Company) -> None:
    company.account("acme")
    view_of(company, RULE, [("acme", "i1", 12.0)], invoices_at=MONDAY - timedelta(days=1))
    (row,) = [row for row in json.loads(say("run", "--json")) if row["rule"] == RULE]
    assert (row["health"], row["found"]) == ("ok", 1)
    assert RULE not in [row["rule"] for row in json.loads(say("run", "--json"))]
    (shown,) = [row for row in json.loads(say("rules", "--json")) if row["rule"] == RULE]
    assert (shown["health"], shown["open"]) == ("ok", 1)


def test_decisions_about_alerts_are_kept_with_who_decided(say: Say, company: Company) -> None:
    company.account("acme")
    alert = fire(company.warehouse, RULE, "acme", "i1", measured=11)
    assert "1 acknowledged" in say("ack", str(alert), "--by", "olga")
    assert "1 snoozed until 2025-03-24 12:00 UTC" in say("snooze", str(alert), "--days", "14", "--reason", "they will")
    assert "Besides: acknowledged by olga; snoozed until 2025-03-24 12:00 (they will)" in " ".join(
        say("show", str(alert)).split()
    )
    assert [row["alert_id"] for row in json.loads(say("list", "--json", "--show", "snoozed"))] == [alert]
    assert company.run("select cause, decided_by from cs.alert_changes where decided_by is not null limit 1") == [
        ("acknowledged", "olga")
    ]


def test_a_silence_lasts_until_its_end_or_until_it_is_lifted(say: Say, company: Company) -> None:
    assert say("silences").startswith("Nothing is silent.")
    said = say("silence", "--rule", RULE, "--until", "2025-04-01", "--reason", "feed is moved", "--by", "olga")
    assert "invoice_overdue is silent until 2025-04-01 00:00 UTC; `cs-pipeline alert lift 1` ends it before" in said
    (row,) = json.loads(say("silences", "--json"))
    assert (row["rule"], row["account_id"], row["reason"], row["set_by"]) == (RULE, None, "feed is moved", "olga")
    fire(company.warehouse, RULE, "acme", "i1")
    assert "silenced until 2025-04-01" in json.loads(say("list", "--json"))[0]["remarks"]
    assert "silence 1 is lifted" in say("lift", "1")
    assert say("silences").startswith("Nothing is silent.")


def test_what_was_held_is_dismissed_by_a_person(say: Say, company: Company) -> None:
    fire(company.warehouse, RULE, "acme", "i1", is_held=True)
    assert "1 alerts of invoice_overdue are dismissed" in say("dismiss", RULE)
    assert json.loads(say("list", "--json", "--show", "held")) == []
    assert json.loads(say("list", "--json", "--show", "over"))[0]["remarks"].endswith("it was dismissed")
