"""Text of customers stays text in whatever an alert becomes: Slack, mail, Teams, pages."""

import json
import re
from dataclasses import replace

import pytest
from pydantic import SecretStr

from cs_pipeline.channels.routing import channels_for
from cs_pipeline.channels.slack_as_card import as_card
from cs_pipeline.clock import Clock
from cs_pipeline.settings import Settings
from tests.builders.alert_readers import Readers
from tests.builders.alert_rules import rule
from tests.builders.company import Company
from tests.builders.delivering import deliver
from tests.builders.fixtures import clock, company, settings
from tests.builders.messages import SLACK

__all__ = ["clock", "company", "settings"]

URGENT = {"severity": "urgent"}


def test_hostile_words_stay_words_in_every_form(company: Company, settings: Settings) -> None:
    name = "<!channel> <https://evil.example|Acme> *b* <script>alert(1)</script> {entity}"
    company.account("acme", account_name=name)
    people = Readers(company, settings, rule(**URGENT), rule("calm"))
    people.find("acme/<img src=x onerror=alert(1)> {account_id} {0} _i_")
    people.find("acme/<img src=x onerror=alert(1)> \N{RIGHT-TO-LEFT OVERRIDE} `c`", rule="calm")
    people.evaluate()
    people.hours(0, 2)
    assert len(people.read()) == 2
    for blocks, html, page in people.run(
        """
        select notices.blocks::text, notices.html, captured.path from cs.notices
        inner join cs.actions using (notice_id) inner join cs.captured_messages as captured using (action_key)
        where notices.blocks is not null
        """
    ):
        markup = "".join(re.findall(r'"text": "([^"]*)", "type": "mrkdwn"', blocks))
        assert "<!channel>" not in markup
        assert "<https://evil" not in markup
        assert "&lt;!channel&gt;" in blocks
        shown = html + (settings.captures / page).read_text()
        assert "<script>alert" not in shown
        assert "<img" not in shown
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in blocks + shown
        assert "{account_id}" in blocks or "ˋcˋ" in blocks, "nothing in a value is a place of its own"


HOSTILE = (
    "<!channel> <https://evil.example|x> [y](https://evil.example) <at>all</at> <script>alert(1)</script> "
    "**b** {entity}"
)


@pytest.mark.parametrize("in_teams", [False, True])
def test_hostile_facts_stay_text_in_slack_mail_teams_and_on_pages(
    company: Company, settings: Settings, in_teams: bool
) -> None:
    """What a rule measured is text of customers: in the title, as an entity, in the table of a whole result."""
    company.account("acme")
    facts = {"said": HOSTILE, "rows": [{"account": HOSTILE, HOSTILE: HOSTILE}, {"account": "Brill"}]}
    says = {"title": "It says {said}", "first_run": "loud", **URGENT}
    whole = rule("whole", mode="once", **says | {"notify": {"to": "operations"}})
    people = Readers(company, settings, rule("said", **says), whole)
    people.run(
        f"""
        create or replace view alerts.said as
        select
            cast(moment as timestamptz) as as_of, 'acme'::text as account_id, {quoted(HOSTILE)} as entity,
            3::double precision as measured, 5::double precision as held_against,
            {quoted(json.dumps(facts))}::jsonb as facts
        from unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) as moments (moment);
        create or replace view alerts.whole as
        select as_of, ''::text as account_id, entity, measured, held_against, facts from alerts.said
        """
    )
    people.evaluate()
    people.plan()
    settings_of_channels = settings.model_copy(update={"teams_webhook_url": SecretStr("https://teams.example/hook")})
    chosen = settings_of_channels if in_teams else settings
    deliver(company.warehouse, chosen, Clock(people.now), channels_for(chosen, company.warehouse, Clock(people.now)))
    found = people.run(
        """
        select notices.blocks, notices.html, captured.path, captured.channel from cs.notices
        inner join cs.actions using (notice_id) inner join cs.captured_messages as captured using (action_key)
        where notices.blocks is not null and actions.playbook = 'alerts'
        """
    )
    assert len(found) == 2
    for blocks, html, path, channel in found:
        assert channel == ("teams" if in_teams else "slack")
        page = (settings.captures / path).read_text()
        card = json.dumps(as_card(replace(SLACK, payload={"blocks": blocks})).payload, ensure_ascii=False)
        markup = "".join(re.findall(r'"text": "([^"]*)", "type": "mrkdwn"', json.dumps(blocks, ensure_ascii=False)))
        assert "<!channel>" not in markup
        assert "<https://evil" not in markup
        assert "](https://evil" not in card
        assert "<at>all" not in card
        assert "**b**" not in card
        for shown in (html, page):
            assert "<script>alert" not in shown
            assert 'href="https://evil' not in shown
            assert "&lt;script&gt;alert" in shown, "it is there, as text"
        assert "{entity}" in markup, "nothing in a value is a place of its own"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'::text"
