"""Reports go through the outbox, to those whom reports.yaml names, each once for a period."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.clock import Clock
from cs_pipeline.plays.outbox import kill_switch
from cs_pipeline.reports.dated.catalogue import kind_named
from cs_pipeline.reports.dated.sending import Sent, send_report
from cs_pipeline.settings import Settings
from cs_pipeline.yaml_with_lines import InvalidFile
from tests.builders.company import MONDAY, Company
from tests.builders.delivering import deliver

ROUTES = """
reports:
  at_risk_review:
    to: {to}
"""


def told(settings: Settings, tmp_path: Path, to: str) -> Settings:
    config = tmp_path / "config"
    config.mkdir(exist_ok=True)
    (config / "reports.yaml").write_text(ROUTES.format(to=to))
    return settings.model_copy(update={"config": config})


def send(company: Company, settings: Settings) -> Sent:
    with company.warehouse.session() as session:
        return send_report(session, kind_named("at_risk_review"), settings, MONDAY, MONDAY)


def people(company: Company) -> None:
    company.account("hers", severity=2)
    company.account("his", severity=2, owner_email="otto@ours.example", manager_email="otto@ours.example")
    for name, owner in (("hers", "olga@ours.example"), ("his", "otto@ours.example")):
        company.metrics(name, account_name=name.title(), owner_email=owner, arr=12_000)


def captured(company: Company) -> dict[str, str]:
    rows = company.run("select recipient, concat(subject, body_html, payload) from cs.captured_messages")
    return {str(recipient): str(said) for recipient, said in rows}


@pytest.mark.requirement("S3-77")
def test_a_report_is_sent_once_to_each_reader_and_owners_get_their_own(
    company: Company, settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    people(company)
    chosen = told(settings, tmp_path, '[team, owners, "#leads", max@ours.example]')
    assert (send(company, chosen).planned, send(company, chosen).planned, send(company, chosen).known) == (5, 0, 5)
    deliver(company.warehouse, chosen, clock)
    found = captured(company)
    assert sorted(found) == [
        "#customer-success", "#leads", "max@ours.example", "olga@ours.example", "otto@ours.example",
    ]  # fmt: skip
    assert "2 accounts at risk" in found["#customer-success"]
    assert "1 account at risk" in found["olga@ours.example"]
    assert "Hers" in found["olga@ours.example"]
    assert "His" not in found["olga@ours.example"].replace("History", "")


def test_who_is_named_as_owner_and_otherwise_reads_of_all_accounts(
    company: Company, settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    people(company)
    chosen = told(settings, tmp_path, "[managers, owners]")
    assert send(company, chosen).planned == 3
    deliver(company.warehouse, chosen, clock)
    assert "2 accounts at risk" in captured(company)["otto@ours.example"]


def test_captured_messages_show_the_pictures(
    company: Company, settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    people(company)
    chosen = told(settings, tmp_path, "[team, max@ours.example]")
    send(company, chosen)
    deliver(company.warehouse, chosen, clock)
    pages = [path.read_text() for path in chosen.captures.glob("*/*at_risk_review*.html")]
    assert len(pages) == 2
    for page in pages:
        assert "data:image/png;base64,iVBOR" in page
        assert "cid:" not in page


def test_a_person_can_stop_all_reports(company: Company, settings: Settings, clock: Clock, tmp_path: Path) -> None:
    people(company)
    chosen = told(settings, tmp_path, "[team]")
    send(company, chosen)
    with company.warehouse.session() as session:
        kill_switch.stop(session, "playbook", "reports", "too many", "max", MONDAY)
    deliver(company.warehouse, chosen, clock)
    assert captured(company) == {}


def test_nobody_is_told_where_nobody_is_named(company: Company, settings: Settings, tmp_path: Path) -> None:
    people(company)
    assert send(company, told(settings, tmp_path, "[]")).planned == 0
    assert company.run("select report, period::text, headline from cs.reports") == [
        ("at_risk_review", "2025-03-03", "2 accounts at risk with $24,000 ARR, 2 of them new")
    ]


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("[owner]", r"reports.yaml:4: reports.at_risk_review.to.*expected owners, managers, executives, team"),
        ("['#']", r"reports.yaml:4: "),
        ("[nobody@]", r"reports.yaml:4: "),
    ],
)
def test_a_wrong_route_is_told_with_file_line_and_field(
    company: Company, settings: Settings, tmp_path: Path, to: str, says: str
) -> None:
    with pytest.raises(InvalidFile, match=says):
        send(company, told(settings, tmp_path, to))


def test_a_report_that_does_not_exist_is_told_with_the_one_that_was_meant(
    company: Company, settings: Settings, tmp_path: Path
) -> None:
    chosen = told(settings, tmp_path, "[team]")
    path = tmp_path / "config" / "reports.yaml"
    path.write_text(path.read_text().replace("at_risk_review", "at_risk_revue"))
    with pytest.raises(InvalidFile, match=r"reports.yaml:3: .*did you mean at_risk_review"):
        send(company, chosen)


def test_the_commands_list_show_and_send(
    company: Company, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(settings.home))
    monkeypatch.setenv("CS_PIPELINE_NOW", MONDAY.isoformat())
    people(company)

    def run(*arguments: str) -> str:
        return CliRunner().invoke(app, ["report", *arguments], catch_exceptions=False).stdout

    page = tmp_path / "review.html"
    shown = json.loads(run("show", "at_risk_review", "--as-of", "2025-03-10", "--json", "-o", str(page)))
    assert shown["period"] == "2025-03-03"
    assert shown["tables"][0]["rows"][0]["account_id"] == "hers"
    assert json.loads(run("show", "at_risk_review", "--as-of", "2025-03-09", "--json"))["period"] == "2025-02-24"
    assert "2 accounts at risk with $24,000 ARR" in run("show", "at_risk_review")
    assert company.run("select count(*) from cs.reports") == [(0,)], "showing writes nothing"
    assert json.loads(run("send", "at_risk_review", "--json"))["planned"] == 3
    (row,) = [each for each in json.loads(run("list", "--json")) if each["report"] == "at_risk_review"]
    assert (row["to"], row["last_period"]) == ("team, owners", "2025-03-03")
