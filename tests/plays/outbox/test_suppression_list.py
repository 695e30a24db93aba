"""SendGrid's lists become ours once a day, and the asset says who gets no mail and what was not taken."""

import dagster as dg
from pydantic import SecretStr

from cs_pipeline.channels.message import Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.keys import SUPPRESSIONS
from cs_pipeline.orchestration.ops.suppressions import sync_suppressions
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import ToldChannel, all_by, deliver
from tests.channels.test_sendgrid_suppressions import KEY, SendGrid
from tests.fakes.provider import provider


def sync(company: Company, settings: Settings, clock: Clock) -> dg.AssetMaterialization:
    resources = {"warehouse": company.warehouse, "settings": settings, "clock": clock}
    with dg.build_op_context(resources=resources) as context:
        sync_suppressions(context)
        (event,) = context.get_events()
    assert isinstance(event, dg.AssetMaterialization)
    assert event.asset_key == SUPPRESSIONS
    return event


def shown(event: dg.AssetMaterialization, name: str) -> list[dict]:
    found = event.metadata[name]
    return [dict(record.data) for record in found.records] if isinstance(found, dg.TableMetadataValue) else []


def test_who_is_on_sendgrids_lists_gets_no_more_mail_and_the_asset_says_so(
    company: Company, settings: Settings, clock: Clock
) -> None:
    triggers = [company.fall(account) for account in company.accounts(2)]
    enrol(company.warehouse, save_play(), triggers, settings, MONDAY)
    live = settings.model_copy(
        update={"delivery": "live", "sendgrid_api_key": SecretStr(KEY), "slack_bot_token": SecretStr("xoxb")}
    )
    with provider(SendGrid(bounces=["ada@a0.example"], unsubscribes=["someone@else.example"])) as sendgrid:
        live = live.model_copy(update={"sendgrid_host": sendgrid.url})
        first, second = sync(company, live, clock), sync(company, live, clock)
    assert first.description == "2 addresses on SendGrid's lists, 2 of them new"
    assert second.description == "2 addresses on SendGrid's lists, 0 of them new"
    deliver(company.warehouse, settings, clock, all_by(ToldChannel(lambda _: Outcome("sent"))))
    event = sync(company, settings, clock)
    assert event.description == "messages are captured, so SendGrid knows of nobody"
    assert event.metadata["addresses"].value == 2
    assert [(row["reason"], row["source"], row["addresses"]) for row in shown(event, "addresses_by_reason")] == [
        ("bounced", "sendgrid", 1),
        ("unsubscribed", "sendgrid", 1),
    ]
    assert shown(event, "not_taken_in_28_days") == [
        {
            "playbook": "yellow",
            "reason": "bounced",
            "actions": 1,
            "meaning": "mail to the address came back, or was reported as spam",
        }
    ]
    assert "@" not in str(event.metadata)


def test_with_nobody_suppressed_the_asset_says_so(company: Company, settings: Settings, clock: Clock) -> None:
    event = sync(company, settings, clock)
    assert event.metadata["addresses"].value == 0
    assert event.metadata["addresses_by_reason"].value == "_Nothing to show._"
