"""Browse alerts a page at a time: by state, rule, severity, owner and text, in an order of the reader's choice.

Reads only. Lists for the command line, without pages, are in `lists`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.rule import SEVERITIES
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.errors import UserError
from cs_pipeline.reports.alerts.text import remarks, what_of
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.rows import read_rows

COUNTED = 1_000
"""More than so many that fit are not counted one by one."""
AT_A_TIME = 50
MOST_PAGES = 200
Row = dict[str, Any]

_GOES_ON = "alerts.state in ('pending', 'firing', 'recovering')"
_FIRES = "alerts.state in ('firing', 'recovering')"
SHOWS: Mapping[str, tuple[str, str]] = {
    "open": ("Open", f"{_FIRES} and not alerts.is_held"),
    "untaken": (
        "Nobody has taken",
        f"{_FIRES} and not alerts.is_held and alerts.inhibited_by is null and alerts.acknowledged_at is null "
        "and coalesce(alerts.snoozed_until <= %(now)s, true)",
    ),
    "acknowledged": ("Taken", f"{_GOES_ON} and alerts.acknowledged_at is not null"),
    "snoozed": ("Snoozed", f"{_GOES_ON} and alerts.snoozed_until > %(now)s"),
    "held": ("Held", f"{_FIRES} and alerts.is_held"),
    "pending": ("Pending", "alerts.state = 'pending'"),
    "over": ("Over", "alerts.ended_at is not null"),
}
"""Which alerts a page shows: title, and the condition in SQL."""

_BY_SEVERITY = "array_position(array['urgent', 'high', 'medium', 'low'], {alerts}.severity)"
SORTS: Mapping[str, tuple[str, str]] = {
    "severity": (
        "Severity, then ARR",
        f"{_BY_SEVERITY} asc, {{accounts}}.arr desc nulls last, {{alerts}}.alert_id desc",
    ),
    "arr": ("ARR", f"{{accounts}}.arr desc nulls last, {_BY_SEVERITY} asc, {{alerts}}.alert_id desc"),
    "newest": ("Newest first", "{alerts}.fired_at desc nulls last, {alerts}.alert_id desc"),
    "oldest": ("Oldest first", "{alerts}.fired_at asc nulls last, {alerts}.alert_id asc"),
}
"""Orders by name: title, and the order in SQL."""
_ENDED = "{alerts}.ended_at desc, {alerts}.alert_id desc"


@dataclass(frozen=True)
class AlertQuestion:
    """What is asked for; empty texts ask for all. `page` counts from 0. Those that are over come newest first."""

    show: str = "open"
    rule: str = ""
    severity: str = ""
    owner: str = ""
    search: str = ""
    sort: str = "severity"
    page: int = 0


@dataclass(frozen=True)
class AlertList:
    """`rows`: as of `lists.alerts`, with `what` and `remarks`. `count` goes up to COUNTED."""

    rows: list[Row]
    count: int
    has_next: bool


def alert_list(
    session: Session, question: AlertQuestion, rules: Mapping[str, Rule], now: datetime, limit: int = AT_A_TIME
) -> AlertList:
    """A page of alerts. Raises UserError where a name of the question is none of ours."""
    for name, known in (("show", SHOWS), ("sort", SORTS)):
        if getattr(question, name) not in known:
            raise UserError(f"{name} is '{getattr(question, name)}'; expected {', '.join(known)}")
    if question.severity and question.severity not in SEVERITIES:
        raise UserError(f"severity is '{question.severity}'; expected {', '.join(SEVERITIES)}")
    order = _ENDED if question.show == "over" else SORTS[question.sort][1]
    shown = " and ".join([SHOWS[question.show][1], *_conditions(question)])
    sql = read_sql(
        __file__,
        shown=shown,
        order=order.format(alerts="alerts", accounts="overview"),
        order_again=order.format(alerts="chosen", accounts="chosen"),
    )
    values = {
        "now": now,
        "rule": question.rule,
        "severity": question.severity,
        "owner": question.owner.lower(),
        "search": question.search.lower(),
        "limit": limit + 1,
        "offset": min(question.page, MOST_PAGES) * limit,
        "counted": COUNTED,
    }
    rows = read_rows(session, sql, values)
    count = read_rows(session, _COUNT.format(shown=shown), values)[0]["count"]
    told = [{**row, "what": what_of(rules.get(row["rule"]), row), "remarks": remarks(row)} for row in rows[:limit]]
    return AlertList(told, count, len(rows) > limit and question.page < MOST_PAGES)


def counts_by_rule(session: Session, now: datetime) -> tuple[dict[str, int], dict[str, int]]:
    """How many alerts there are by what a page shows (but for those that are over), and how many go on by rule."""
    names = [name for name in SHOWS if name != "over"]
    counted = ", ".join(f"count(*) filter (where {SHOWS[name][1]})::integer as {name}" for name in names)
    rows = read_rows(
        session,
        f"select alerts.rule, count(*)::integer as alerts, {counted} from cs.alerts as alerts "
        f"where {_GOES_ON} group by alerts.rule order by alerts.rule",
        {"now": now},
    )
    return {name: sum(row[name] for row in rows) for name in names}, {row["rule"]: row["alerts"] for row in rows}


def _conditions(question: AlertQuestion) -> list[str]:
    asked = {
        "rule": "alerts.rule = %(rule)s",
        "severity": "alerts.severity = %(severity)s",
        "owner": "lower(overview.owner_email) = %(owner)s",
        "search": "position(%(search)s in lower(concat_ws(' ', alerts.account_id, overview.account_name, "
        "alerts.entity, alerts.rule))) > 0",
    }
    return [condition for name, condition in asked.items() if getattr(question, name)]


_COUNT = """
select count(*)::integer
from (
    select 1
    from cs.alerts as alerts
    left join cs.account_overview as overview on alerts.account_id = overview.account_id
    where {shown}
    limit %(counted)s
) as found
"""
