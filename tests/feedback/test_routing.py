"""What customers say goes to whom it concerns: by tag, else by words, each once, and what is old to nobody."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.feedback import ledger
from cs_pipeline.feedback.ledger import Routed
from cs_pipeline.feedback.library import load_routing
from cs_pipeline.plays.outbox import kill_switch
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY, Company
from tests.builders.delivering import deliver
from tests.feedback.conftest import say

DAY = timedelta(days=1)


def route(company: Company, settings: Settings) -> Routed:
    with company.warehouse.session() as session:
        return ledger.route(session, load_routing(settings.config), settings, MONDAY)


def routed(company: Company) -> dict[object, tuple]:
    rows = company.run("select source_id, rule, sent_to, priority from cs.routed_feedback")
    return {source: tuple(rest) for source, *rest in rows}


@pytest.mark.requirement("S3-50", "S3-53", "S3-55", "S3-56", "S3-57")
def test_what_is_tagged_goes_by_its_tag_whatever_its_words_say(talking: Company, settings: Settings) -> None:
    for kind in ("feature_request", "complaint", "praise", "price_objection", "competitor_mention", "bug", "other"):
        say(talking, kind, None if kind == "other" else "Unlike another tool, which is too expensive", kind=kind)
    assert route(talking, settings).triage == 1
    found = {source: (rule, sent_to) for source, (rule, sent_to, _) in routed(talking).items()}
    assert found == {
        "feature_request": ("feature_request", ["product"]),
        "complaint": ("competitor_named", ["competitive_intelligence"]),
        "praise": ("praise", ["owner"]),
        "price_objection": ("pricing_concern", ["sales", "finance"]),
        "competitor_mention": ("competitive_intelligence", ["competitive_intelligence"]),
        "bug": ("bug", ["development"]),
        "other": (None, ["team"]),
    }
    ((matched,),) = talking.run("select matched from cs.routed_feedback where source_id = 'feature_request'")
    assert matched == ["feature_request", "competitor_named", "price_named"]


@pytest.mark.requirement("S3-49", "S3-53", "S3-55", "S3-56", "S3-57")
def test_what_nobody_tagged_goes_by_its_words_and_a_ticket_without_any_stays_with_support(
    talking: Company, settings: Settings
) -> None:
    say(talking, "rival", "We switched to a competitor", said_in="survey")
    say(talking, "dear", "Too expensive", said_in="cancellation")
    say(talking, "broken", "Too many outages.", said_in="survey")
    say(talking, "wish", "Could you add folders?", said_in="ticket")
    say(talking, "slow", "Zu kompliziert.", said_in="survey")
    say(talking, "fond", "Does what it says.", said_in="survey", score_share=0.9)
    say(talking, "content", "Fine so far.", said_in="survey", score_share=0.7)
    say(talking, "vague", "We hardly use it.", said_in="survey", score_share=0.6)
    say(talking, "ticket", "Import fails", said_in="ticket")
    say(talking, "price in a ticket", "What does it cost?", said_in="ticket")
    talking.metrics("enterprise", renewal_date=(MONDAY + 90 * DAY).date())
    talking.metrics("pro", renewal_date=(MONDAY + 91 * DAY).date())
    say(talking, "price before a renewal", "What does it cost?", said_in="ticket", account_id="enterprise")
    route(talking, settings)
    assert {source: rule for source, (rule, *_) in routed(talking).items()} == {
        "rival": "competitor_named",
        "dear": "price_named",
        "broken": "bug_named",
        "wish": "wish_named",
        "slow": "product_improvement",
        "fond": "promoter",
        "content": "content_enough",
        "vague": None,
        "price before a renewal": "price_named",
    }


@pytest.mark.requirement("S3-54")
def test_a_feature_request_is_as_pressing_as_its_account_is_large(talking: Company, settings: Settings) -> None:
    for tier in ("starter", "pro", "enterprise"):
        say(talking, tier, "Folders", kind="feature_request", account_id=tier)
    say(talking, "nobody knows", "Folders", kind="feature_request", account_id="gone")
    route(talking, settings)
    assert {source: priority for source, (_, _, priority) in routed(talking).items()} == {
        "starter": "low", "pro": "medium", "enterprise": "high", "nobody knows": "low",
    }  # fmt: skip


def test_a_feature_is_as_noted_else_as_named_in_the_words(talking: Company, settings: Settings) -> None:
    say(talking, "noted", "A/B tests, please", kind="feature_request", feature="campaigns")
    say(talking, "named", "a/b Tests for subject lines", kind="feature_request")
    say(talking, "inside a word", "Reportsheet", kind="feature_request")
    route(talking, settings)
    assert dict(talking.run("select source_id, feature from cs.routed_feedback")) == {
        "noted": "campaigns", "named": "ab_tests", "inside a word": None,
    }  # fmt: skip


def test_nothing_is_handed_on_twice_and_a_reader_gets_one_message_the_most_pressing_first(
    talking: Company, settings: Settings, clock: Clock
) -> None:
    say(talking, "small", "Folders", kind="feature_request", account_id="starter")
    say(talking, "large", "Better folders", kind="feature_request", account_id="enterprise")
    say(talking, "dear", "Too dear", kind="price_objection")
    first = route(talking, settings)
    assert (first.items, first.messages, dict(first.by_rule)) == (3, 3, {"feature_request": 2, "pricing_concern": 1})
    assert route(talking, settings) == Routed()
    deliver(talking.warehouse, settings, clock)
    said = dict(talking.run("select recipient, subject || body_text from cs.captured_messages"))
    assert sorted(said) == ["#finance", "#product", "#sales"]
    product = str(said["#product"])
    assert "2 things that customers said, for product: 1 of high priority" in product
    assert product.index("Better folders") < product.index("“Folders”")
    assert dict(talking.run("select source_id, cardinality(action_ids) from cs.routed_feedback")) == {
        "small": 1, "large": 1, "dear": 2,
    }  # fmt: skip


def test_what_was_said_long_ago_is_recorded_and_nobody_is_told(talking: Company, settings: Settings) -> None:
    say(talking, "yesterday", "Folders", kind="feature_request", said_at=MONDAY - DAY)
    say(talking, "last month", "Folders", kind="feature_request", said_at=MONDAY - 30 * DAY)
    say(talking, "years ago", "Folders", kind="feature_request", said_at=MONDAY - 800 * DAY)
    say(talking, "not yet arrived", "Folders", kind="feature_request", arrived_at=MONDAY + DAY)
    done = route(talking, settings)
    assert (done.items, done.old, done.messages) == (2, 1, 1)
    assert dict(talking.run("select source_id, is_told from cs.routed_feedback")) == {
        "yesterday": True, "last month": False,
    }  # fmt: skip


def test_a_message_goes_to_the_accounts_owner_else_the_manager_else_the_teams_channel(
    talking: Company, settings: Settings, clock: Clock
) -> None:
    talking.run("update marts.dim_accounts set owner_email = null where account_id = 'starter'")
    talking.run(
        "update marts.dim_accounts set owner_email = null, manager_email = null where account_id = 'enterprise'"
    )
    for tier in ("starter", "pro", "enterprise"):
        say(talking, tier, "A joy", kind="praise", account_id=tier)
    assert route(talking, settings).messages == 3
    assert set(talking.column("select recipient from cs.actions where channel = 'slack'")) == {
        settings.team_channel, "max@ours.example", "olga@ours.example",
    }  # fmt: skip


def test_a_person_can_stop_all_of_these_messages(talking: Company, settings: Settings, clock: Clock) -> None:
    with talking.warehouse.session() as session:
        kill_switch.stop(session, "playbook", "feedback", "enough", "olga", MONDAY)
    say(talking, "a", "Folders", kind="feature_request")
    route(talking, settings)
    deliver(talking.warehouse, settings, clock)
    assert talking.run("select * from cs.captured_messages") == []


def test_a_message_shows_so_many_and_counts_the_rest(talking: Company, settings: Settings) -> None:
    for number in range(25):
        say(talking, f"i{number}", f"wish number {number}", kind="feature_request")
    assert route(talking, settings).messages == 1
    ((text,),) = talking.run("select body from cs.notices")
    assert text.count("wish number") == 20
    assert "… and 5 more: cs-pipeline feedback list --to product" in text
    assert talking.run("select count(*) from cs.routed_feedback where cardinality(action_ids) > 0") == [(25,)]


@pytest.fixture
def command(talking: Company, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", talking.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(settings.home))
    monkeypatch.setenv("CS_PIPELINE_NOW", MONDAY.isoformat())
    return CliRunner()


def test_triage_is_listed_until_somebody_assigns_it(talking: Company, command: CliRunner) -> None:
    say(talking, "odd", "We hardly use it.")
    say(talking, "wish", "Folders", kind="feature_request")
    done = json.loads(command.invoke(app, ["feedback", "route", "--json"]).output)
    assert (done["items"], done["triage"], done["by_rule"]) == (2, 1, {"feature_request": 1})
    (found,) = json.loads(command.invoke(app, ["feedback", "list", "--triage", "--json"]).output)
    assert (found["item"], found["words"], found["rule"]) == ("feedback:odd", "We hardly use it.", None)
    wrong = command.invoke(app, ["feedback", "assign", "feedback:odd", "--to", "prodct"])
    assert isinstance(wrong.exception, UserError)
    assert "--to: expected owner, manager" in str(wrong.exception)
    unknown = command.invoke(app, ["feedback", "assign", "feedback:od", "--to", "product"])
    assert "The ledger has no feedback:od" in str(unknown.exception)
    sent = command.invoke(app, ["feedback", "assign", "feedback:odd", "--to", "product", "--by", "olga"])
    assert "1 messages planned" in sent.output
    assert json.loads(command.invoke(app, ["feedback", "list", "--triage", "--json"]).output) == []
    (moved, _) = json.loads(command.invoke(app, ["feedback", "list", "--to", "product", "--json"]).output)
    assert (moved["assigned_by"], len(moved["actions"])) == ("olga", 2)
    assert "wish" in command.invoke(app, ["feedback", "list"]).output


def test_a_text_can_be_tried_without_writing_anything(talking: Company, command: CliRunner) -> None:
    before = talking.written()
    tried = command.invoke(app, ["feedback", "test", "The price of another tool is lower", "--json"])
    assert [each["rule"] for each in json.loads(tried.output)] == ["competitor_named", "price_named"]
    assert "triage" in command.invoke(app, ["feedback", "test", "We are not looking at another tool"]).output
    assert talking.written() == before


def test_without_marts_a_sentence_says_what_to_do(warehouse: Warehouse, settings: Settings) -> None:
    with warehouse.session() as session, pytest.raises(UserError, match="run the weekly job"):
        ledger.route(session, load_routing(None), settings, MONDAY)


def test_a_team_names_its_competitors_and_keeps_the_rest(talking: Company, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "routing.yaml").write_text(
        "words:\n  competitors:\n    meaning: Ours\n    words: [Ace, Drip]\n"
        "triage: {to: [support, '#ideas'], said_in: [feedback]}\n"
    )
    chosen = settings.model_copy(update={"config": tmp_path})
    say(talking, "named", "We had a look at Ace.")
    say(talking, "inside a word", "A better place for dripping")
    say(talking, "not", "We do not use Drip", said_in="survey")
    route(talking, chosen)
    assert {source: (rule, to) for source, (rule, to, _) in routed(talking).items()} == {
        "named": ("competitor_named", ["competitive_intelligence"]),
        "inside a word": (None, ["support", "#ideas"]),
    }


def test_bounds_of_a_score_and_of_a_renewal_belong_to_the_rule(
    talking: Company, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "routing.yaml").write_text(
        "rules:\n"
        "  - {rule: bad, title: Bad, when: [{score_at_most: 0.4}], to: owner}\n"
        "  - {rule: good, title: Good, when: [{score_at_least: 0.8}], to: owner}\n"
        "  - {rule: renews, title: Renews, when: [{said_in: [ticket], renewal_within_days: 0}], to: owner}\n"
    )
    for said, share in {"bad": 0.4, "hardly bad": 0.41, "hardly good": 0.79, "good": 0.8}.items():
        say(talking, said, "Well", said_in="survey", score_share=share)
    for tier, renewal in {"pro": MONDAY, "starter": MONDAY - DAY, "enterprise": MONDAY + DAY}.items():
        talking.metrics(tier, renewal_date=renewal.date())
        say(talking, tier, "Well", said_in="ticket", account_id=tier)
    route(talking, settings.model_copy(update={"config": tmp_path}))
    assert {source: rule for source, (rule, *_) in routed(talking).items()} == {
        "bad": "bad", "hardly bad": None, "hardly good": None, "good": "good", "pro": "renews",
    }  # fmt: skip
