"""Send what does not wait for the morning: urgent alerts, escalations, and the whole result of a rule.

One message a reader and account, in the account's thread; where a rule speaks of no account, one a reader and rule.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.lines import Section, arrange, headline
from cs_pipeline.alerts.messages import Table, Writer, table_of
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.alerts.sending import PLAYBOOK, send
from cs_pipeline.alerts.team_file import load_directory
from cs_pipeline.alerts.waiting import Row
from cs_pipeline.channels.slack_buttons import Verb
from cs_pipeline.plays.outbox.operations import Notice
from cs_pipeline.settings import Settings

ANSWERS: tuple[Verb, ...] = ("acknowledge", "snooze", "not_a_risk")
"""Buttons of a message about alerts that go on, in Slack."""


def send_at_once(session: Session, rules: Mapping[str, Rule], settings: Settings, now: datetime) -> int:
    """Plan what is to be told at once, in the caller's transaction; returns how many messages."""

    def writing() -> Callable[[list[Row]], Notice]:
        directory, writer = load_directory(settings.config), Writer(settings)

        def notice_of(rows: list[Row]) -> Notice:
            first = rows[0]
            recipient, account_id, kinds = first["recipient"], str(first["account_id"]), {row["kind"] for row in rows}
            zone = ZoneInfo(directory.zone_of(recipient, settings))
            sections = arrange(rows, rules, zone, writer.account_url)
            written = writer.write(
                _subject(sections),
                sections,
                intro=_intro(kinds),
                table=_table(rows, rules),
                names_it=_is_one(sections),
            )
            return Notice(
                key=f"alerts/at_once/{min(row['notification_id'] for row in rows)}",
                subject=written.subject,
                text=written.text,
                html=written.html,
                blocks=written.blocks,
                answers=() if kinds == {"resolved"} else ANSWERS,
                account_id=account_id,
                playbook=PLAYBOOK,
                step="resolved" if kinds == {"resolved"} else "escalation" if "escalation" in kinds else "alert",
                to=directory.reader(recipient, first["role"], settings),
            )

        return notice_of

    return send(session, settings, now, writing, is_in_digest=False)


def _subject(sections: list[Section]) -> str:
    """The alert itself where there is one; else whose they are, and how many of what."""
    first = sections[0].lines[0]
    about = first.title if _is_one(sections) else headline(sections)
    mark = "Over: " if first.is_over and _is_one(sections) else "Urgent: " if first.severity == "urgent" else ""
    return f"{mark}{first.account}{': ' if first.account else ''}{about}"


def _is_one(sections: list[Section]) -> bool:
    return sum(section.count for section in sections) == 1


def _intro(kinds: set[str]) -> str:
    return "Nobody has acknowledged it in time, so it comes to you." if "escalation" in kinds else ""


def _table(rows: list[Row], rules: Mapping[str, Rule]) -> Table | None:
    """The rows of a rule that is told once for the whole, while it fires."""
    firing = [row for row in rows if row["kind"] != "resolved"]
    if len(firing) != 1 or firing[0]["rule"] not in rules:
        return None
    return table_of(firing[0]["facts"], rules[firing[0]["rule"]].alert.show_rows)
