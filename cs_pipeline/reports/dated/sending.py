"""Put reports into the outbox, each once for every reader, and keep their pages.

A report is a notice under the key (report, period, recipient), so a second run, a second machine or a person who asks
again sends nothing twice. Nothing here talks to a provider.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.plays.outbox.operations import Notice, notify_all
from cs_pipeline.reports.dated.catalogue import Kind, make_report
from cs_pipeline.reports.dated.mail import MailWriter
from cs_pipeline.reports.dated.page import report_page
from cs_pipeline.reports.dated.periods import last_ended
from cs_pipeline.reports.dated.pictures import pictures_of
from cs_pipeline.reports.dated.places import account_url, report_url
from cs_pipeline.reports.dated.readiness import why_not_ready
from cs_pipeline.reports.dated.report import Report
from cs_pipeline.reports.dated.routes import Recipient, load_routes, recipients
from cs_pipeline.reports.dated.slack import slack_blocks
from cs_pipeline.settings import Settings

PLAYBOOK = "reports"
"""By this name a person can stop all reports, as if it were a playbook."""


@dataclass(frozen=True)
class Sent:
    """What came of asking for a report to be sent."""

    report: Report
    planned: int
    known: int
    """Readers who were sent it before."""


def send_report(session: Session, kind: Kind, settings: Settings, moment: datetime, now: datetime) -> Sent:
    """Make the report of the last period that had ended at `moment`, keep it, and plan it for its readers.

    In the caller's transaction. Raises UserError while what it is made of is not built, or where reports.yaml is wrong.
    """
    routes = load_routes(settings.config)
    period = last_ended(kind.rhythm, moment)
    if missing := why_not_ready(session, kind.needs, period):
        raise UserError(f"{kind.name}, {period.words}, is not sent: {missing}")
    whole = make_report(session, kind, settings, moment)
    keep(session, whole, settings, now)
    readers = recipients(session, kind, routes, settings)
    written: dict[str, Notice] = {}
    notices: list[Notice] = []
    for reader in readers:
        if reader.owner not in written:
            report = whole if not reader.owner else make_report(session, kind, settings, moment, reader.owner)
            if reader.owner:
                keep(session, report, settings, now)
            written[reader.owner] = _written(report, settings)
        notices.append(_to(written[reader.owner], whole, reader))
    planned = len(notify_all(session, notices, settings, now))
    return Sent(whole, planned, len(notices) - planned)


def keep(session: Session, report: Report, settings: Settings, now: datetime) -> None:
    """Keep the page in cs.reports, in the place of the one that was made for the same period before."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.reports (report, period, owner, as_of, made_at, headline, page)
            values (%s, %s, %s, %s, %s, %s, %s)
            on conflict (report, period, owner) do update
            set as_of = excluded.as_of, made_at = excluded.made_at, headline = excluded.headline, page = excluded.page
            """,
            (
                report.name,
                report.period.first,
                report.owner,
                report.period.as_of,
                now,
                report.headline,
                report_page(report, partial(account_url, settings)),
            ),
        )


def _written(report: Report, settings: Settings) -> Notice:
    """The report in all forms, to nobody yet."""
    url = report_url(settings, report)
    text, html = MailWriter(settings, partial(account_url, settings)).write(report, url)
    return Notice(
        key="",
        subject=report.subject,
        text=text,
        html=html,
        blocks=slack_blocks(report, url),
        pictures=pictures_of(report),
        playbook=PLAYBOOK,
        step=report.name,
    )


def _to(notice: Notice, report: Report, reader: Recipient) -> Notice:
    key = f"report/{report.name}/{report.period.first.isoformat()}/{reader.name}"
    return replace(notice, key=key, to=reader.reader)
