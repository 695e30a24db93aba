"""Plan a value report for the owner of its account, once for its months, who reads it before the customer does.

It goes through the outbox as all reports do. Nothing here talks to a provider.
"""

from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.addresses import address_of
from cs_pipeline.errors import UserError
from cs_pipeline.plays.outbox.operations import Notice, Reader, notify
from cs_pipeline.reports.business_review.facts import Review
from cs_pipeline.reports.dated.mail import MailWriter
from cs_pipeline.reports.dated.pictures import pictures_of
from cs_pipeline.reports.dated.report import Report
from cs_pipeline.reports.dated.sending import PLAYBOOK
from cs_pipeline.reports.dated.slack import slack_blocks
from cs_pipeline.settings import Settings


def send_to_owner(session: Session, review: Review, report: Report, settings: Settings, now: datetime) -> bool:
    """Plan it in the caller's transaction; False where the owner was sent it before.

    Raises UserError where the account had no owner with an address.
    """
    account = str(review.account["account_id"])
    address = address_of(review.account["owner_email"])
    if address is None:
        raise UserError(
            f"{account} had no owner before {review.end}: give it an owner_email in accounts, or use --output"
        )
    text, html = MailWriter(settings, lambda _: "").write(report)
    span = f"{review.first.isoformat()}/{review.end.isoformat()}"
    return notify(
        session,
        Notice(
            key=f"report/{report.name}/{account}/{span}/{address}",
            subject=report.subject,
            text=text,
            html=html,
            blocks=slack_blocks(report),
            pictures=pictures_of(report),
            account_id=account,
            playbook=PLAYBOOK,
            step=report.name,
            to=Reader("owner", (("email", address),)),
        ),
        settings,
        now,
    )
