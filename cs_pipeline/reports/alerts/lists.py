"""Lists of alerts and of their rules, for people and programs. Reads only."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.evaluation import Evaluation
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.reports.alerts.alert_rows import alert_rows
from cs_pipeline.reports.alerts.newest_evaluations import newest_evaluations
from cs_pipeline.reports.alerts.text import remarks, what_of
from cs_pipeline.sql_files import read_sql

_GOES_ON = "alerts.state in ('firing', 'recovering') and not alerts.is_held"
Which = Literal["open", "baseline", "pending", "held", "acknowledged", "snoozed", "over", "all"]
WHICH: Mapping[Which, str] = {
    "open": f"{_GOES_ON} and not alerts.is_baseline",
    "baseline": f"{_GOES_ON} and alerts.is_baseline",
    "pending": "alerts.state = 'pending'",
    "held": "alerts.state in ('firing', 'recovering') and alerts.is_held",
    "acknowledged": "alerts.ended_at is null and alerts.acknowledged_at is not null",
    "snoozed": "alerts.ended_at is null and alerts.snoozed_until > %(now)s",
    "over": "alerts.ended_at is not null",
    "all": "true",
}
"""Which alerts a list shows, with the condition in SQL. What held before its rule was first asked is no news: the
baseline, apart from what is open."""
_ACCOUNTS = "marts.dim_accounts"
_NO_ACCOUNTS = """(
    select
        null::text as account_id,
        null::text as account_name,
        null::text as owner_email,
        null::double precision as arr
)"""
PATIENCE = timedelta(hours=3)
"""How long after its moment a rule may still be unevaluated; the job asks every hour."""


def alerts(
    session: Session,
    now: datetime,
    which: Which = "open",
    *,
    rule: str | None = None,
    account: str | None = None,
    owner: str | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Alerts, the most severe of the accounts that pay most first; those that are over come last, newest first.

    `account`: its id or exact name. Columns: alert_id, severity, state, rule, account_id (None where the rule speaks of
    no account), account_name, owner_email, arr, entity (None where it is the account), measured, held_against, facts,
    since, fired_at, ended_at, cause, reopened, is_baseline, is_held, inhibited_by, acknowledged_by, acknowledged_at,
    snoozed_until and snooze_reason (while snoozed), silenced_until and silence_reason (while silenced).
    """
    return _alerts(session, now, WHICH[which], rule=rule, account=account, owner=owner, limit=limit)


def alerts_of_account(
    session: Session, account_id: str, first: datetime, until: datetime, *, and_since: bool
) -> pd.DataFrame:
    """Alerts of an account that fired before `until` (`and_since`: whenever) and were not over before `first`.

    Columns as of `alerts`, seen from `until`.
    """
    chosen = """
        alerts.account_id = %(account_id)s
        and (%(and_since)s or alerts.fired_at < %(until)s)
        and alerts.fired_at is not null
        and coalesce(alerts.ended_at >= %(first)s, true)
        and not alerts.is_held
    """
    return _alerts(session, until, chosen, account_id=account_id, first=first, until=until, and_since=and_since)


def open_of_account(session: Session, account_id: str, now: datetime) -> pd.DataFrame:
    """The alerts of the account of that id that go on, baseline and all; columns as of `alerts`."""
    return _alerts(session, now, f"{_GOES_ON} and alerts.account_id = %(account_id)s", account_id=account_id)


def alert_of_id(session: Session, alert_id: int, now: datetime) -> pd.DataFrame:
    """The alert of that id: one row with the columns of `alerts`, or none."""
    with session.cursor() as cursor:
        cursor.execute("select account_id from cs.alerts where alert_id = %s", [alert_id])
        (account_id,) = cursor.fetchone() or (None,)
    # Its account is named, so that the view of accounts reads that one only.
    of_account = "alerts.account_id = %(account_id)s" if account_id is not None else "true"
    return _alerts(
        session, now, f"alerts.alert_id = %(alert_id)s and {of_account}", alert_id=alert_id, account_id=account_id
    )


def alert_table(found: pd.DataFrame, rules: Mapping[str, Rule]) -> pd.DataFrame:
    """The rows of `alerts` as a table of short texts: alert, severity, what, account, owner, since, state, remarks."""
    rows = found.to_dict("records")
    return pd.DataFrame(
        {
            "alert": found["alert_id"],
            "severity": found["severity"],
            "what": [what_of(rules.get(row["rule"]), row) for row in rows],
            "account": [row["account_name"] or row["account_id"] or "" for row in rows],
            "owner": found["owner_email"].fillna(""),
            "since": [row["fired_at"] or row["since"] for row in rows],
            "state": found["state"],
            "remarks": [remarks(row) for row in rows],
        }
    )


def rule_table(session: Session, rules: Mapping[str, Rule], now: datetime) -> pd.DataFrame:
    """How each rule does, one row a rule, in the order of their names.

    Columns: rule, type, severity, schedule, health (ok, no_data, error, held; off where the team switched it off,
    missing where it was never evaluated), evaluated_for, evaluated_at, open, held, fired_30d, last_fired, precision and
    verdict (of the newest scorecard), error, is_absent (it has no data because nobody feeds the tables that it needs),
    description.
    """
    sql = read_sql(__file__, newest_evaluations=newest_evaluations())
    found = _frame(session, sql, {"rules": list(rules), "now": now})
    cards = _frame(session, _SCORECARDS, {})
    cards = cards.set_index("rule")
    known = [rules[name] for name in found["rule"]]
    return pd.DataFrame(
        {
            "rule": found["rule"],
            "type": [rule.alert.type for rule in known],
            "severity": [rule.alert.severity for rule in known],
            "schedule": [rule.alert.schedule for rule in known],
            "health": [health if rule.is_on else "off" for rule, health in zip(known, found["health"], strict=True)],
            **{name: found[name] for name in ("evaluated_for", "evaluated_at", "open", "held", "fired_30d")},
            "last_fired": found["last_fired"],
            "precision": found["rule"].map(cards["precision_share"]),
            "verdict": found["rule"].map(cards["verdict"]),
            "error": found["error"],
            "is_absent": found["is_absent"],
            "description": [rule.description for rule in known],
        },
        dtype="object",
    )


def newest_digest(session: Session) -> tuple[str, str] | None:
    """The subject of the newest digest that was captured, and its page below the folder of captures."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select notices.subject, actions.provider_id
            from cs.notices
            inner join cs.actions using (notice_id)
            where
                notices.notice_key like 'alerts/digest/%%'
                and actions.status = 'sent'
                and actions.delivery = 'capture'
                and actions.provider_id is not null
            order by actions.sent_at desc, actions.action_id desc
            limit 1
            """,
            {},
        )
        return cursor.fetchone()


def not_healthy(rules: pd.DataFrame) -> pd.DataFrame:
    """The rows of `rule_table` that somebody should look at.

    A rule about tables that a team does not have says nothing, and that is no fault.
    """
    is_ill = rules["health"].isin(["error", "held"]) | (
        (rules["health"] == "no_data") & ~rules["is_absent"].astype(bool)
    )
    return rules[is_ill.to_numpy(bool)]


def changes(session: Session, alert_id: int) -> pd.DataFrame:
    """What became of an alert, oldest first; columns as_of, from_state, to_state, cause, decided_by, measured."""
    return _frame(
        session,
        """
        select as_of, from_state, to_state, cause, decided_by, measured
        from cs.alert_changes
        where alert_id = %(alert_id)s
        order by change_id
        """,
        {"alert_id": alert_id},
    )


def told(session: Session, alert_id: int) -> pd.DataFrame:
    """Who was told of an alert, oldest first; columns what, recipient, role, told_at (missing: not yet), dropped."""
    return _frame(
        session,
        """
        select
            told.kind as what,
            told.recipient,
            told.role,
            notices.created_at as told_at,
            told.dropped
        from cs.alert_notifications as told
        left join cs.notices as notices using (notice_id)
        where told.alert_id = %(alert_id)s
        order by told.notification_id
        """,
        {"alert_id": alert_id},
    )


def silences(session: Session, now: datetime) -> pd.DataFrame:
    """Silences that last, those that end first at the top; columns silence, rule, account_id, until, reason, set_by."""
    return _frame(
        session,
        """
        select silence_id as silence, rule, account_id, until, reason, set_by
        from cs.alert_silences
        where lifted_at is null and until > %(now)s
        order by until, silence_id
        """,
        {"now": now},
    )


def unevaluated(session: Session, rules: Mapping[str, Rule], now: datetime) -> list[tuple[str, datetime]]:
    """Rules that were evaluated before, and whose newest moment has passed by more than PATIENCE without it.

    Weekly rules wait for scores, and are not among them. Returns name and moment.
    """
    newest = _frame(
        session, "select rule, max(as_of) as as_of from cs.alert_evaluations group by rule order by rule", {}
    )
    late: list[tuple[str, datetime]] = []
    for name, as_of in zip(newest["rule"], newest["as_of"], strict=True):
        rule = rules.get(name)
        if rule is None or not rule.is_on or rule.schedule.is_weekly:
            continue
        due = rule.schedule.due(now - PATIENCE)
        if due is not None and due > as_of:
            late.append((str(name), due))
    return late


_SCORECARDS = """
select distinct on (rule)
    rule,
    precision_share,
    verdict
from cs.alert_scorecards
order by rule, month desc, watched_to desc
"""


_ASKED = """
    (%(rule)s::text is null or alerts.rule = %(rule)s)
    and (%(account)s::text is null or alerts.account_id = %(account)s or accounts.account_name = %(account)s)
    and (%(owner)s::text is null or lower(accounts.owner_email) = lower(%(owner)s))
"""
_MOST_SEVERE_FIRST = """
    alerts.ended_at desc nulls first,
    array_position(array['urgent', 'high', 'medium', 'low'], alerts.severity) asc,
    accounts.arr desc nulls last,
    alerts.fired_at asc,
    alerts.alert_id asc
"""


def _is_there(session: Session, relation: str) -> bool:
    with session.cursor() as cursor:
        cursor.execute("select to_regclass(%s) is not null", [relation])
        return cursor.fetchone() == (True,)


def _alerts(session: Session, now: datetime, chosen: str, **asked: object) -> pd.DataFrame:
    accounts = _ACCOUNTS if _is_there(session, "marts.dim_accounts") else _NO_ACCOUNTS
    sql = alert_rows(
        f"cs.alerts as alerts left join {accounts} as accounts on alerts.account_id = accounts.account_id",
        f"{chosen} and {_ASKED}",
        order=_MOST_SEVERE_FIRST,
    )
    nothing = dict.fromkeys(("rule", "account", "owner", "limit"))
    return _frame(session, sql, {**nothing, **asked, "now": now})


def _frame(session: Session, sql: str, parameters: Mapping[str, object]) -> pd.DataFrame:
    with session.cursor() as cursor:
        cursor.execute(sql, parameters)
        columns: Sequence[str] = [column.name for column in cursor.description or ()]
        return pd.DataFrame(cursor.fetchall(), columns=columns, dtype="object")


def evaluation_table(done: Sequence[Evaluation]) -> pd.DataFrame:
    """What came of evaluations, one row a rule, those that did not go well first."""
    columns = ("rule", "health", "as_of", "found", "fired", "resolved", "held", "inhibited", "out_of_audience", "error")
    ordered = sorted(done, key=lambda each: (each.health == "ok", each.rule))
    rows = [[getattr(each, name) for name in columns] for each in ordered]
    return pd.DataFrame(rows, columns=columns, dtype="object")
