"""Messages as rendering makes them, for tests of what becomes of them."""

from dataclasses import replace
from datetime import date

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.message import Message, Outcome

EMAIL = Message(
    action_key="yellow_adoption/quick_guide/acme/7",
    channel="email",
    recipient="ada@acme.example",
    subject="A quick guide to reports",
    body_text="Hello Ada,\nhere is a guide.",
    body_html="<!doctype html><html><body><p>Hello Ada, here is a guide.</p></body></html>",
    payload={
        "preview": "Two minutes to your first report",
        "sender_name": "Customer Success",
        "reply_to": "olga@example.com",
        "unsubscribe_url": "https://example.com/unsubscribe?message=7",
    },
    account_id="acme",
    playbook="yellow_adoption",
    step="quick_guide",
    due_on=date(2026, 1, 6),
    category="save",
)

SLACK = replace(
    EMAIL,
    action_key="red_save/alert_owner/acme/8",
    channel="slack",
    recipient="#customer-success",
    subject="Acme needs you",
    body_text="Acme needs you",
    body_html=None,
    payload={
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Acme needs you"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "*Score* 35 (was 72)\n<https://ui/acme|Open Acme>"}},
        ]
    },
    playbook="red_save",
    step="alert_owner",
)

TEAMS = replace(
    SLACK,
    action_key="red_save/alert_team/acme/8",
    channel="teams",
    recipient="olga@example.com",
    payload={
        "body": [
            {"type": "TextBlock", "text": "Acme needs you", "size": "Large", "weight": "Bolder", "wrap": True},
            {"type": "TextBlock", "text": "**Score** 35 (was 72) [Open Acme](https://ui/acme)", "wrap": True},
            {"type": "FactSet", "facts": [{"title": "ARR", "value": "€18,480"}]},
            {
                "type": "ActionSet",
                "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": "https://ui/acme"}],
            },
        ]
    },
    step="alert_team",
)

CRM = replace(
    EMAIL,
    action_key="red_save/discovery_call/acme/8",
    channel="crm",
    recipient="olga@example.com",
    subject="Call Acme",
    body_text="Find the root cause.",
    body_html=None,
    payload={"kind": "task", "priority": "urgent"},
    playbook="red_save",
    step="discovery_call",
)


def delivered(channel: BaseChannel, message: Message) -> Outcome:
    """What came of one message."""
    (outcome,) = channel.deliver([message])
    return outcome


SMS = replace(
    EMAIL,
    action_key="milestone/congratulate/acme/9",
    channel="sms",
    subject="A hundred projects",
    body_text="Congratulations, Ada: your team has just finished its 100th project.",
    body_html="<!doctype html><html><body><p>Congratulations, Ada.</p></body></html>",
    payload={**EMAIL.payload, "as_email_text": "Congratulations, Ada.\n\nUnsubscribe"},
    playbook="milestone",
    step="congratulate",
)
