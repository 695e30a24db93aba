"""Find due actions that have to wait, and until when: for hours, frequency caps, and scores that are held.

Asked right before an action would be taken, after `guards`. What waits stays planned with its reason, and is suppressed
with it when it has become stale by then. Quiet hours alone do not make stale: a mail that was due on a Saturday goes
out on Monday.
"""

from datetime import datetime, timedelta
from operator import itemgetter

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.channels.registry import CUSTOMER_CHANNELS
from cs_pipeline.plays.delivery.customer_mail import is_customer_mail
from cs_pipeline.plays.delivery.quiet_hours import QuietHours
from cs_pipeline.plays.facts.query import AsOf, text_or_none
from cs_pipeline.plays.outbox.suppress import Postponed
from cs_pipeline.plays.playbooks.schema import CUSTOMER_ROLES
from cs_pipeline.plays.reasons import FREQUENCY_CAP, QUIET_HOURS, STALE_DATA
from cs_pipeline.sql_files import read_sql

WINDOW = timedelta(days=7)
ASK_AGAIN = timedelta(hours=6)  # for scores, which come when they come
SCORE_DRIVEN = "score_change"


def postponements(session: Session, taken: pd.DataFrame, as_of: AsOf) -> dict[int, Postponed]:
    """Which of the actions that would be taken now have to wait, by action id.

    `taken` has the columns of `due`, country and timezone of the account, trigger_kind, and today's recipient. Its
    order is that in which actions go out: the first ones get the room that a cap leaves.
    """
    rows = taken.to_dict("records")
    waiting = _for_scores(session, rows, as_of)
    mails = [row for row in rows if is_customer_mail(row["channel"], row["role"]) and row["action_id"] not in waiting]
    waiting |= _for_morning(session, mails, as_of)
    waiting |= _for_room(session, [mail for mail in mails if mail["action_id"] not in waiting], as_of)
    return waiting


def _for_scores(session: Session, rows: list[dict], as_of: AsOf) -> dict[int, Postponed]:
    """Actions of plays that a score started, while the account's newest score is an older week's, held."""
    driven = [row for row in rows if row["trigger_kind"] == SCORE_DRIVEN]
    if not driven:
        return {}
    with session.cursor() as cursor:
        cursor.execute(
            """
            select account_id
            from (
                select distinct on (account_id) account_id, status
                from cs.health_scores
                where is_active and account_id = any(%s::text[]) and week <= %s - 7
                order by account_id, week desc
            ) as newest
            where status = 'held'
            """,
            [[row["account_id"] for row in driven], as_of.now.date()],
        )
        held = {account_id for (account_id,) in cursor.fetchall()}
    wait = Postponed(as_of.now + ASK_AGAIN, STALE_DATA)
    return {row["action_id"]: wait for row in driven if row["account_id"] in held}


def _for_morning(session: Session, mails: list[dict], as_of: AsOf) -> dict[int, Postponed]:
    """Mails whose reader is not at work: by the zone of the person, else of the account, else ours."""
    hours = QuietHours(as_of.settings.mail_from_hour, as_of.settings.mail_until_hour)
    zones = _zones(session, mails)
    waiting = {}
    for mail in mails:
        zone = zones.get(mail["action_id"]) or text_or_none(mail["timezone"]) or as_of.settings.timezone
        moment = hours.next_moment(as_of.now, text_or_none(mail["country"]), zone, mail["action_key"])
        if moment is not None:
            waiting[mail["action_id"]] = Postponed(moment, QUIET_HOURS, keeps_fresh=True)
    return waiting


def _for_room(session: Session, mails: list[dict], as_of: AsOf) -> dict[int, Postponed]:
    """Mails beyond a cap: until the oldest mail that counts is seven days past. Mails of this batch count as sent."""
    most = {"person": as_of.settings.mails_per_person, "account": as_of.settings.mails_per_account}
    sent = _sent_lately(session, mails, as_of)
    waiting = {}
    for mail in mails:
        of_whom = {"person": mail["recipient"].lower(), "account": mail["account_id"]}
        full = [
            sorted(moments)[-most[kind]]
            for kind, name in of_whom.items()
            if len(moments := sent.setdefault((kind, name), [])) >= most[kind]
        ]
        if full:
            waiting[mail["action_id"]] = Postponed(max(full) + WINDOW, FREQUENCY_CAP)
        else:
            for whom in of_whom.items():
                sent[whom].append(as_of.now)
    return waiting


def _sent_lately(session: Session, mails: list[dict], as_of: AsOf) -> dict[tuple[str, str], list[datetime]]:
    """When customers got mail within WINDOW, by person and by account. What may have arrived counts as arrived."""
    with session.cursor() as cursor:
        cursor.execute(
            read_sql(__file__),
            {
                "channels": list(CUSTOMER_CHANNELS),
                "roles": list(CUSTOMER_ROLES),
                "since": as_of.now - WINDOW,
                "now": as_of.now,
                "accounts": list({mail["account_id"] for mail in mails}),
                "addresses": list({mail["recipient"].lower() for mail in mails}),
            },
        )
        return {(kind, name): moments for kind, name, moments in cursor.fetchall()}


def _zones(session: Session, mails: list[dict]) -> dict[int, str]:
    """Time zones of the people that the mails are for, where known, by action id.

    Somebody may be a contact of one account and a user of another: the address tells who it is.
    """
    with session.cursor() as cursor:
        cursor.execute(
            """
            select asked.action_id, min(users.timezone)
            from unnest(%(action_ids)s::bigint[], %(recipients)s::text[]) as asked (action_id, recipient)
            inner join staging.stg_users as users on cs.address_of(asked.recipient) = users.email
            where users.timezone <> ''
            group by asked.action_id
            """,
            {
                "action_ids": list(map(itemgetter("action_id"), mails)),
                "recipients": list(map(itemgetter("recipient"), mails)),
            },
        )
        return dict(cursor.fetchall())
