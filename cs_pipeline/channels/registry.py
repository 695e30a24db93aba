"""List the channels that there are: one entry of KINDS each, which is all that the rest of the code asks of one.

How an adapter is made of settings belongs here, too, and which settings it cannot do without. Adapters are imported
when they are made, so that asking what there is costs nothing. Which of them carries a message is in `routing`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import SecretStr

from cs_pipeline.channels import adaptive_cards, slack_blocks
from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.block_layout import BlockLayout
from cs_pipeline.channels.crm_api import ConnectedCrm
from cs_pipeline.channels.fallback import BY_EMAIL, Instead
from cs_pipeline.channels.message import Message
from cs_pipeline.channels.slack_as_card import IN_TEAMS
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import PREFIX, Settings

Form = Literal["mail", "blocks", "record", "text"]
"""How its templates are written, and what its messages are made of (`plays.messages.renderer`)."""


@dataclass(frozen=True)
class ChannelKind:
    """What holds for a kind of message, whichever adapter carries it.

    - `name`: in playbooks, tables and folders of templates; `title`: how people read it;
    - `colour`: in charts and lists;
    - `op`: the step of Dagster's jobs in which its due actions go out; kinds with the same one go together;
    - `build`: its adapter, made of settings; None where it is not connected;
    - `requires`: settings without which it cannot be built; `connected_by`: the one that decides whether it is built at
      all, None where it always is;
    - `instead`: what carries its messages where it is not connected;
    - `falls_back_to_team`: what has no person as its recipient goes to the team's channel;
    - `most_in_a_run`: actions that one run of the op takes, where its provider is slow;
    - `is_rare`: legends and filters show it only where it occurs;
    - `layout`: of messages that are made of blocks.
    """

    name: str
    title: str
    form: Form
    colour: str
    op: str
    build: Callable[[Settings, Clock], BaseChannel | None]
    requires: tuple[str, ...] = ()
    connected_by: str | None = None
    reaches_customers: bool = False
    instead: Instead | None = None
    falls_back_to_team: bool = False
    most_in_a_run: int = 100_000
    is_rare: bool = False
    layout: BlockLayout | None = None

    def is_connected(self, settings: Settings) -> bool:
        """Whether these settings connect it, so that its adapter can be built, or must be."""
        return self.connected_by is None or bool(_text(getattr(settings, self.connected_by)))


def _sendgrid(settings: Settings, clock: Clock) -> BaseChannel:  # noqa: ARG001 - as all of these
    from cs_pipeline.channels.sendgrid import SendGridChannel
    from cs_pipeline.channels.sendgrid_requests import Sending

    sending = Sending(
        settings.sender_email,
        settings.sendgrid_unsubscribe_group,
        has_unsubscribe_page=bool(settings.unsubscribe_url or settings.public_url),
        is_one_click=settings.unsubscribe_one_click if settings.unsubscribe_url else bool(settings.public_url),
        is_sandbox=settings.sendgrid_sandbox,
    )
    key = _secret(settings, "sendgrid_api_key", "e-mail")
    return SendGridChannel(key, host=settings.sendgrid_host, sending=sending)


def _slack(settings: Settings, clock: Clock) -> BaseChannel:  # noqa: ARG001
    from cs_pipeline.channels.slack import SlackChannel

    token = _secret(settings, "slack_bot_token", "Slack messages")
    return SlackChannel(token, base_url=settings.slack_base_url, has_buttons=settings.slack_app_token is not None)


def _teams(settings: Settings, clock: Clock) -> BaseChannel | None:  # noqa: ARG001
    from cs_pipeline.channels.teams import TeamsChannel

    return None if settings.teams_webhook_url is None else TeamsChannel(settings.teams_webhook_url)


def _webhook(settings: Settings, clock: Clock) -> BaseChannel | None:
    from cs_pipeline.channels.webhook import WebhookChannel

    if settings.webhook_url is None:
        return None
    return WebhookChannel(settings.webhook_url, _secret(settings, "webhook_secret", "text messages"), clock)


def _crm(settings: Settings, clock: Clock) -> BaseChannel | None:  # noqa: ARG001
    return crm(settings)


_TEXTS = ChannelKind(
    name="sms",
    title="SMS",
    form="text",
    colour="#2f7fb8",
    op="send_due_email",  # a step of every run costs seconds, and text messages are few
    build=_webhook,
    requires=("webhook_secret",),
    connected_by="webhook_url",
    reaches_customers=True,
    instead=BY_EMAIL,
    is_rare=True,
)

KINDS: Mapping[str, ChannelKind] = {
    kind.name: kind
    for kind in (
        ChannelKind(
            name="email",
            title="E-mail",
            form="mail",
            colour="#1f6f5c",
            op="send_due_email",
            build=_sendgrid,
            requires=("sendgrid_api_key",),
            reaches_customers=True,
        ),
        ChannelKind(
            name="slack",
            title="Slack",
            form="blocks",
            colour="#7a4fa3",
            op="post_due_chat",
            build=_slack,
            requires=("slack_bot_token",),
            connected_by="slack_bot_token",
            instead=IN_TEAMS,
            falls_back_to_team=True,
            most_in_a_run=600,  # a message a second and conversation
            layout=slack_blocks.LAYOUT,
        ),
        ChannelKind(
            name="teams",
            title="Microsoft Teams",
            form="blocks",
            colour="#4b53bc",
            op="post_due_chat",
            build=_teams,
            connected_by="teams_webhook_url",
            falls_back_to_team=True,
            is_rare=True,
            layout=adaptive_cards.LAYOUT,
        ),
        ChannelKind(
            name="crm",
            title="CRM",
            form="record",
            colour="#d08a2e",
            op="create_due_crm",
            build=_crm,
            falls_back_to_team=True,
        ),
        _TEXTS,
        replace(_TEXTS, name="webhook", title="Webhook", colour="#8b98a5"),
    )
}
"""Every kind of message, by name."""

CUSTOMER_CHANNELS = tuple(kind.name for kind in KINDS.values() if kind.reaches_customers)
"""Channels that reach customers. Hours, caps and lists of those who want no mail hold for all of them alike."""

CRM_SETTINGS = {
    "table": (),
    "hubspot": ("hubspot_access_token",),
    "salesforce": ("salesforce_domain", "salesforce_client_id", "salesforce_client_secret"),
}


def carrier_of(name: str, settings: Settings) -> ChannelKind:
    """The kind that carries messages of the kind `name`: itself, or what these settings connect instead."""
    kind = KINDS[name]
    if kind.is_connected(settings) or kind.instead is None:
        return kind
    other = KINDS[kind.instead.kind]
    return other if other.is_connected(settings) else kind


def as_it_travels(message: Message, settings: Settings) -> Message:
    """The message as its reader gets it with these settings."""
    instead = KINDS[message.channel].instead
    is_carried = instead is not None and carrier_of(message.channel, settings).name == instead.kind
    return instead.convert(message) if instead is not None and is_carried else message


def missing(settings: Settings) -> list[str]:
    """Variables without which messages cannot leave the machine, as these settings have it."""
    of_kinds = [name for kind in KINDS for name in carrier_of(kind, settings).requires]
    needed = dict.fromkeys([*of_kinds, *CRM_SETTINGS[settings.crm]])
    return [f"{PREFIX}{name.upper()}" for name in needed if not _text(getattr(settings, name))]


def crm(settings: Settings) -> ConnectedCrm | None:
    """The adapter for tasks and opportunities; None where no CRM is connected. Raises UserError as all of these do."""
    what = "tasks"
    if settings.crm == "hubspot":
        from cs_pipeline.channels.hubspot import Deals, HubSpotChannel

        return HubSpotChannel(
            _secret(settings, "hubspot_access_token", what),
            host=settings.hubspot_host,
            company_property=settings.hubspot_company_property,
            deals=Deals(settings.hubspot_pipeline, settings.hubspot_deal_stage),
        )
    if settings.crm == "salesforce":
        from cs_pipeline.channels.salesforce import SalesforceChannel

        return SalesforceChannel(
            _needed(settings, "salesforce_domain", what),
            _needed(settings, "salesforce_client_id", what),
            _secret(settings, "salesforce_client_secret", what),
            account_field=settings.salesforce_account_field,
            stage=settings.salesforce_stage,
        )
    return None


def _secret(settings: Settings, name: str, what: str) -> SecretStr:
    return SecretStr(_needed(settings, name, what))


def _needed(settings: Settings, name: str, what: str) -> str:
    text = _text(getattr(settings, name))
    if not text:
        raise UserError(
            f"{PREFIX}DELIVERY is {settings.delivery}, but {PREFIX}{name.upper()} is not set, so {what} cannot be "
            f"sent. Set it in the environment, or set {PREFIX}DELIVERY=capture."
        )
    return text


def _text(value: SecretStr | str | None) -> str:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return (text or "").strip()
