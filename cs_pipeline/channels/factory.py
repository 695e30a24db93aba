"""The channels to the outside, made of settings. What is missing is said before anything is sent.

Which of them carries a message is in `select`. The libraries of CRMs are imported only where that CRM is connected.
"""

from pydantic import SecretStr

from cs_pipeline.channels.crm_api import ConnectedCrm
from cs_pipeline.channels.sendgrid import SendGridChannel
from cs_pipeline.channels.sendgrid_requests import Sending
from cs_pipeline.channels.slack import SlackChannel
from cs_pipeline.channels.webhook import WebhookChannel
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import PREFIX, Settings

CRM_SETTINGS = {
    "table": (),
    "hubspot": ("hubspot_access_token",),
    "salesforce": ("salesforce_domain", "salesforce_client_id", "salesforce_client_secret"),
}


def missing(settings: Settings) -> list[str]:
    """Variables without which messages cannot leave the machine, as these settings have it."""
    needed = ["sendgrid_api_key", "slack_bot_token", *CRM_SETTINGS[settings.crm]]
    if settings.webhook_url is not None:
        needed.append("webhook_secret")
    return [f"{PREFIX}{name.upper()}" for name in needed if not _text(getattr(settings, name))]


def sendgrid(settings: Settings) -> SendGridChannel:
    """E-mail. Raises UserError when its key is missing, as all of these do."""
    key = _secret(settings, "sendgrid_api_key", "e-mail")
    sending = Sending(
        settings.sender_email,
        settings.sendgrid_unsubscribe_group,
        is_one_click=settings.unsubscribe_one_click,
        is_sandbox=settings.sendgrid_sandbox,
    )
    return SendGridChannel(key, host=settings.sendgrid_host, sending=sending)


def slack(settings: Settings) -> SlackChannel:
    """Slack messages."""
    return SlackChannel(_secret(settings, "slack_bot_token", "Slack messages"), base_url=settings.slack_base_url)


def webhook(settings: Settings, clock: Clock) -> WebhookChannel | None:
    """Text messages and the rest; None where no webhook is set."""
    if settings.webhook_url is None:
        return None
    return WebhookChannel(settings.webhook_url, _secret(settings, "webhook_secret", "text messages"), clock)


def crm(settings: Settings) -> ConnectedCrm | None:
    """Tasks and opportunities; None where no CRM is connected."""
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
