"""Which channel carries a message: capture, allow-list and live, and what is refused at the start."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from cs_pipeline.channels.routing import channels_for, connected_crm
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.messages import CRM, EMAIL, SLACK, SMS, delivered
from tests.channels.test_slack import Workspace
from tests.fakes import hubspot_portal
from tests.fakes.provider import Answer, provider

KEY, TOKEN = SecretStr("SG.geheim"), SecretStr("xoxb-geheim")
BOTH = {"sendgrid_api_key": KEY, "slack_bot_token": TOKEN}
SALESFORCE = {"crm": "salesforce", "salesforce_domain": "acme.my", "salesforce_client_id": "3MVG9"}


def count(warehouse: Warehouse, table: str) -> int:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(f"select count(*) from {table}")
        return cursor.fetchone()[0]  # type: ignore[index]


def test_in_capture_mode_no_provider_is_asked_and_everything_is_captured(tmp_path: Path, warehouse: Warehouse):
    with provider(Answer(202)) as sendgrid, provider(Workspace()) as slack:
        settings = Settings(
            home=tmp_path,
            sendgrid_api_key=KEY,
            slack_bot_token=TOKEN,
            sendgrid_host=sendgrid.url,
            slack_base_url=slack.url + "/api/",
        )
        channels = channels_for(settings, warehouse)
        outcomes = [delivered(channels[message.channel], message) for message in (EMAIL, SLACK, CRM)]
    assert [(outcome.status, outcome.delivery) for outcome in outcomes] == [("sent", "capture")] * 3
    assert sendgrid.requests == slack.requests == []
    assert count(warehouse, "cs.captured_messages") == 3


def test_a_crm_task_of_capture_mode_stands_in_the_table_as_well(tmp_path: Path, warehouse: Warehouse):
    crm = channels_for(Settings(home=tmp_path), warehouse)["crm"]
    for _ in range(2):
        delivered(crm, CRM)
    assert (count(warehouse, "cs.crm_tasks"), count(warehouse, "cs.captured_messages")) == (1, 1)
    assert crm.delivery_to(CRM.recipient) == "capture"
    assert crm.find(CRM).state == "found"


def test_a_task_the_table_refuses_is_not_captured(tmp_path: Path, warehouse: Warehouse):
    crm = channels_for(Settings(home=tmp_path), warehouse)["crm"]
    assert delivered(crm, replace(CRM, payload={"priority": "whenever"})).status == "failed"
    assert count(warehouse, "cs.captured_messages") == 0


def test_the_set_clock_stamps_captured_messages(tmp_path: Path, warehouse: Warehouse):
    settings = Settings(home=tmp_path, now=datetime(2024, 3, 4, 8, tzinfo=UTC))
    delivered(channels_for(settings, warehouse)["email"], EMAIL)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select captured_at from cs.captured_messages")
        assert cursor.fetchall() == [(settings.now,)]


@pytest.mark.parametrize(
    ("recipient", "is_reached"),
    [
        ("ada@acme.example", True),
        ("ADA@Acme.Example", True),
        ("bob@friends.example", True),
        ("bob@acme.example", False),
        ("eve@sub.friends.example", False),
        ("eve@friends.example.evil.example", False),
        ("friends.example", False),
    ],
)
def test_the_allow_list_reaches_those_on_it_and_captures_the_rest(
    tmp_path: Path, warehouse: Warehouse, recipient: str, is_reached: bool
):
    message = replace(EMAIL, recipient=recipient)
    with provider(Answer(202)) as sendgrid:
        settings = Settings(
            home=tmp_path,
            delivery="allowlist",
            allowlist=("Ada <ada@ACME.example>", "@Friends.example."),
            sendgrid_api_key=KEY,
            slack_bot_token=TOKEN,
            sendgrid_host=sendgrid.url,
        )
        channel = channels_for(settings, warehouse)["email"]
        outcome = delivered(channel, message)
        finding = channel.find(message)
    assert outcome.status == "sent"
    assert outcome.delivery == channel.delivery_to(recipient) == ("live" if is_reached else "capture")
    assert len(sendgrid.requests) == is_reached
    assert finding.state == ("cannot_look" if is_reached else "found")


def test_the_allow_list_names_slack_channels(tmp_path: Path, warehouse: Warehouse):
    with provider(Workspace()) as slack:
        settings = Settings(
            home=tmp_path,
            delivery="allowlist",
            allowlist=("#cs-test",),
            sendgrid_api_key=KEY,
            slack_bot_token=TOKEN,
            slack_base_url=slack.url + "/api/",
        )
        channel = channels_for(settings, warehouse)["slack"]
        deliveries = [delivered(channel, replace(SLACK, recipient=to)).delivery for to in ("#cs-test", "#everybody")]
    assert deliveries == ["live", "capture"]
    assert len(slack.requests) == 1


def test_in_live_mode_everybody_is_reached_and_nothing_is_captured(tmp_path: Path, warehouse: Warehouse):
    with provider(Answer(202)) as sendgrid, provider(Workspace()) as slack:
        settings = Settings(
            home=tmp_path,
            delivery="live",
            sendgrid_api_key=KEY,
            slack_bot_token=TOKEN,
            sendgrid_host=sendgrid.url,
            slack_base_url=slack.url + "/api/",
        )
        channels = channels_for(settings, warehouse)
        outcomes = [delivered(channels[message.channel], message) for message in (EMAIL, SLACK, CRM)]
    assert [(outcome.status, outcome.delivery) for outcome in outcomes] == [("sent", "live")] * 3
    assert (len(sendgrid.requests), len(slack.requests)) == (1, 1)
    assert not settings.captures.exists()


@pytest.mark.parametrize("mode", ["live", "allowlist"])
@pytest.mark.parametrize(
    ("keys", "missing"),
    [
        ({"slack_bot_token": TOKEN}, "CS_PIPELINE_SENDGRID_API_KEY"),
        ({"slack_bot_token": TOKEN, "sendgrid_api_key": SecretStr(" ")}, "CS_PIPELINE_SENDGRID_API_KEY"),
        ({"sendgrid_api_key": KEY}, "CS_PIPELINE_SLACK_BOT_TOKEN"),
        (BOTH | {"crm": "hubspot"}, "CS_PIPELINE_HUBSPOT_ACCESS_TOKEN"),
        (BOTH | {"crm": "salesforce"}, "CS_PIPELINE_SALESFORCE_DOMAIN"),
        (BOTH | {"crm": "salesforce", "salesforce_domain": "acme.my"}, "CS_PIPELINE_SALESFORCE_CLIENT_ID"),
        (BOTH | SALESFORCE, "CS_PIPELINE_SALESFORCE_CLIENT_SECRET"),
        (BOTH | {"webhook_url": SecretStr("https://hooks.example.com/geheim")}, "CS_PIPELINE_WEBHOOK_SECRET"),
    ],
)
def test_a_missing_key_is_an_error_at_the_start(
    tmp_path: Path, warehouse: Warehouse, mode: str, keys: dict[str, object], missing: str
):
    settings = Settings(home=tmp_path, delivery=mode, **keys)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=missing) as raised:
        channels_for(settings, warehouse)
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize("domain", ["acme.my.salesforce.com", "login", "test"])
def test_a_domain_that_is_none_of_salesforces_is_refused_in_words(tmp_path: Path, domain: str):
    with pytest.raises(ValueError, match=r"My Domain without .salesforce.com, such as acme.my"):
        Settings(home=tmp_path, salesforce_domain=domain)


def test_no_key_shows_in_the_repr_of_the_channels(tmp_path: Path, warehouse: Warehouse):
    hook = {"webhook_url": SecretStr("https://hooks.example.com/geheim"), "webhook_secret": SecretStr("geheim")}
    crm = {"crm": "hubspot", "hubspot_access_token": SecretStr("geheim")}
    settings = Settings(home=tmp_path, delivery="live", **BOTH | hook | crm)  # type: ignore[arg-type]
    assert "geheim" not in f"{channels_for(settings, warehouse)!r}{settings!r}"


def connected(home: Path, delivery: str, hubspot: str, **changes: object) -> Settings:
    keys = BOTH | {"crm": "hubspot", "hubspot_access_token": SecretStr(hubspot_portal.TOKEN), "hubspot_host": hubspot}
    return Settings(home=home, delivery=delivery, **keys | changes)  # type: ignore[arg-type]


def test_a_connected_crm_gets_the_tasks_instead_of_the_table(tmp_path: Path, warehouse: Warehouse):
    with provider(hubspot_portal.Portal()) as hubspot:
        crm = channels_for(connected(tmp_path, "live", hubspot.url), warehouse)["crm"]
        outcome = delivered(crm, CRM)
    assert (outcome.status, outcome.provider_id, outcome.delivery) == ("sent", "hubspot/task/1000", "live")
    assert (count(warehouse, "cs.crm_tasks"), count(warehouse, "cs.captured_messages")) == (0, 0)


def test_the_allow_list_names_those_whose_tasks_go_to_the_crm(tmp_path: Path, warehouse: Warehouse):
    with provider(hubspot_portal.Portal()) as hubspot:
        settings = connected(tmp_path, "allowlist", hubspot.url, allowlist=("olga@example.com",))
        crm = channels_for(settings, warehouse)["crm"]
        to_mara = replace(CRM, action_key="another", recipient="mara@example.com")
        assert [outcome.delivery for outcome in crm.deliver([CRM, to_mara])] == ["live", "capture"]
    assert (count(warehouse, "cs.crm_tasks"), count(warehouse, "cs.captured_messages")) == (1, 1)


def test_while_messages_are_captured_a_connected_crm_is_neither_written_nor_read(tmp_path: Path, warehouse: Warehouse):
    with provider(hubspot_portal.Portal()) as hubspot:
        settings = connected(tmp_path, "capture", hubspot.url)
        delivered(channels_for(settings, warehouse)["crm"], CRM)
        assert hubspot.requests == []
    assert connected_crm(settings) is None
    assert count(warehouse, "cs.crm_tasks") == 1


@pytest.mark.requirement("C-29")
def test_text_messages_go_over_the_webhook_or_by_e_mail_where_none_is_set(tmp_path: Path, warehouse: Warehouse):
    with provider(Answer(202)) as sendgrid, provider(Answer(202)) as receiver:
        without = Settings(home=tmp_path, delivery="live", sendgrid_host=sendgrid.url, **BOTH)  # type: ignore[arg-type]
        hook = {"webhook_url": SecretStr(receiver.url), "webhook_secret": SecretStr("whsec")}
        for settings in (without, without.model_copy(update=hook)):
            for name in ("sms", "webhook"):
                channel = channels_for(settings, warehouse)[name]
                assert delivered(channel, replace(SMS, channel=name)).status == "sent"
        assert (len(sendgrid.requests), len(receiver.requests)) == (2, 2)


def test_libraries_of_crms_are_imported_only_where_one_is_connected():
    code = (
        "import sys; import cs_pipeline.channels.routing as select; from cs_pipeline.settings import Settings;"
        "select.connected_crm(Settings(delivery='live'));"
        "print(sorted({'hubspot', 'simple_salesforce'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
