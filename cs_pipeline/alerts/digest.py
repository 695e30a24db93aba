"""Send everybody the digest of their alerts, in their morning: what is new, still open, better, and back again.

One digest a reader and day, sorted by severity, then ARR. What is urgent does not wait for it (`messages_at_once`).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.lines import arrange, headline
from cs_pipeline.alerts.messages import Writer, day_in_words
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.alerts.sending import PLAYBOOK, send
from cs_pipeline.alerts.team_file import load_directory
from cs_pipeline.alerts.waiting import Row
from cs_pipeline.plays.outbox.operations import Notice
from cs_pipeline.settings import Settings


def send_digests(session: Session, rules: Mapping[str, Rule], settings: Settings, now: datetime) -> int:
    """Plan the digests that are due, in the caller's transaction; returns how many. Asking twice changes nothing."""

    def writing() -> Callable[[list[Row]], Notice]:
        directory, writer = load_directory(settings.config), Writer(settings)

        def notice_of(rows: list[Row]) -> Notice:
            recipient = str(rows[0]["recipient"])
            zone = ZoneInfo(directory.zone_of(recipient, settings))
            sections = arrange(rows, rules, zone, writer.account_url)
            title, counts = f"Alerts on {day_in_words(now.astimezone(zone).date())}", headline(sections)
            written = writer.write(f"{title}: {counts}", sections, title=title, intro=f"{counts}.")
            return Notice(
                key=f"alerts/digest/{min(row['notification_id'] for row in rows)}",
                subject=written.subject,
                text=written.text,
                html=written.html,
                blocks=written.blocks,
                playbook=PLAYBOOK,
                step="digest",
                to=directory.reader(recipient, rows[0]["role"], settings, is_digest=True),
            )

        return notice_of

    return send(session, settings, now, writing, is_in_digest=True)
