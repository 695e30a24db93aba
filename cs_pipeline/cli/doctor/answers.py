"""Examine what comes back from readers: events of mails, and how they unsubscribe."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cs_pipeline.cli.doctor.finding import Finding
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

LATELY = timedelta(days=7)


def examine_answers(warehouse: Warehouse, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Every finding."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            select
                (select max(received_at) from cs.sendgrid_events where received_at > %(since)s),
                (select count(*) from cs.sendgrid_events where problem is not null and received_at > %(since)s),
                exists (
                    select from cs.action_attempts as attempts
                    inner join cs.actions on attempts.action_id = actions.action_id
                    where
                        attempts.claimed_at between %(since)s and %(hour_ago)s
                        and actions.channel = 'email'
                        and actions.delivery = 'live'
                )
            """,
            {"since": now - LATELY, "hour_ago": now - timedelta(hours=1)},
        )
        newest, malformed, is_sending = cursor.fetchone() or (None, 0, False)
    if not settings.sendgrid_webhook_key:
        words = "not taken: CS_PIPELINE_SENDGRID_WEBHOOK_KEY is not set, so scores do not see what became of our mails"
        yield Finding("mail events", "ok" if settings.delivery == "capture" else "note", f"{words} (docs/answers.md)")
    elif newest is None and is_sending:
        words = f"none came in {LATELY.days} days, though mails went out: see the webhook's page at SendGrid"
        yield Finding("mail events", "wrong", f"{words}, and whether it reaches /webhooks/sendgrid (docs/answers.md)")
    else:
        came = f"the newest came {newest:%Y-%m-%d %H:%M} UTC" if newest else f"none came in {LATELY.days} days"
        yield Finding("mail events", "ok", came)
    if malformed:
        words = f"{malformed:,} of the last {LATELY.days} days could not be understood"
        yield Finding("mail events", "note", f"{words}: `cs-pipeline data rejects --table email_events`")
