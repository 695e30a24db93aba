"""Browse alerts a page at a time: by state, rule, severity, owner and text, in an order of the reader's choice.

Reads only. Lists for the command line, without pages, are in `lists`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.rule import SEVERITIES
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.errors import UserError
from cs_pipeline.reports.alerts.alert_rows import alert_rows
from cs_pipeline.reports.alerts.text import remarks, what_of
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

_BY_SEVERITY = "array_position(array['urgent', 'high', 'medium', 'low'], alerts.severity)"
SORTS: Mapping[str, str] = {
    "severity": "Severity, then ARR",
    "arr": "ARR",
    "newest": "Newest first",
    "oldest": "Oldest first",
}
"""Titles of the orders by name. Those that are over come newest first, whatever the order."""


@dataclass(frozen=True)
class AlertQuestion:
    """What is asked for; what is empty asks for all. `page` counts from 0.

    `baseline`: with True those that held when their rule was first asked, with False those that came since.
    """

    show: str = "open"
    rule: str = ""
    severities: Sequence[str] = ()
    owner: str = ""
    search: str = ""
    baseline: bool | None = None
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
    if unknown := [name for name in question.severities if name not in SEVERITIES]:
        raise UserError(f"severity is '{unknown[0]}'; expected {', '.join(SEVERITIES)}")
    shown = " and ".join([SHOWS[question.show][1], *_conditions(question)])
    values = {
        "now": now,
        "rule": question.rule,
        "severities": list(question.severities),
        "owner": question.owner.lower(),
        "search": question.search.lower(),
        "counted": COUNTED,
    }
    offset = min(question.page, MOST_PAGES) * limit
    found = _first_ids(session, question, shown, values, offset + limit + 1)[offset:]
    shown_rows = alert_rows(_OF_PAGE, order="ids.place")
    rows = read_rows(session, shown_rows, {**values, "ids": found[:limit], "limit": limit}) if found else []
    count = read_rows(session, _COUNT.format(shown=shown), values)[0]["count"]
    told = [{**row, "what": what_of(rules.get(row["rule"]), row), "remarks": remarks(row)} for row in rows]
    return AlertList(told, count, len(found) > limit and question.page < MOST_PAGES)


def _first_ids(
    session: Session, question: AlertQuestion, shown: str, values: Mapping[str, Any], wanted: int
) -> list[int]:
    """The first alerts in the order of the question.

    Asked a part of the order at a time, each of which an index gives: of any number of open alerts those of the
    accounts that pay most are found without sorting the others.
    """
    found: list[int] = []
    for relation, condition, order in _parts(question):
        sql = f"select alerts.alert_id from {relation} where {shown} and {condition} order by {order} limit %(limit)s"
        rows = read_rows(session, sql, {**values, "limit": wanted - len(found)})
        found += [row["alert_id"] for row in rows]
        if len(found) == wanted:
            break
    return found


def _parts(question: AlertQuestion) -> Iterator[tuple[str, str, str]]:
    """Parts of the order one after the other: relation, condition and order in SQL."""
    newest = "alerts.alert_id desc"
    if question.show == "over":
        yield _WITH_ANY, "true", f"alerts.ended_at desc, {newest}"
    elif question.sort == "newest":
        yield _WITH_ANY, "true", f"alerts.fired_at desc nulls last, {newest}"
    elif question.sort == "oldest":
        yield _WITH_ANY, "true", "alerts.fired_at asc nulls first, alerts.alert_id asc"
    elif question.sort == "arr":
        yield _WITH_ACCOUNT, "true", f"overview.arr desc, {_BY_SEVERITY}, {newest}"
        yield _WITH_ANY, "overview.account_id is null", f"{_BY_SEVERITY}, {newest}"
    else:
        for severity in question.severities or SEVERITIES:
            is_of_it = f"alerts.severity = '{severity}'"
            yield _WITH_ACCOUNT, is_of_it, f"overview.arr desc, {newest}"
            yield _WITH_ANY, f"{is_of_it} and overview.account_id is null", newest


def counts_by_show(session: Session, now: datetime) -> dict[str, int]:
    """How many alerts there are by what a page shows, but for those that are over; each up to COUNTED."""
    counted = ", ".join(
        f"({_COUNT.format(shown=condition)}) as {name}" for name, (_, condition) in SHOWS.items() if name != "over"
    )
    return read_rows(session, f"select {counted}", {"now": now, "counted": COUNTED})[0]


def counts_by_rule(session: Session) -> dict[str, int]:
    """How many alerts go on by rule, up to COUNTED; rules without any are left out."""
    rows = read_rows(session, _BY_RULE, {"counted": COUNTED})
    return {row["rule"]: row["alerts"] for row in rows}


def _conditions(question: AlertQuestion) -> list[str]:
    asked = {
        "rule": "alerts.rule = %(rule)s",
        "severities": "alerts.severity = any(%(severities)s)",
        "owner": "lower(overview.owner_email) = %(owner)s",
        "search": "position(%(search)s in lower(concat_ws(' ', alerts.account_id, overview.account_name, "
        "alerts.entity, alerts.rule))) > 0",
    }
    found = [condition for name, condition in asked.items() if getattr(question, name)]
    return found if question.baseline is None else [*found, f"alerts.is_baseline = {question.baseline}"]


_WITH_ANY = "cs.alerts as alerts left join cs.account_overview as overview using (account_id)"
_WITH_ACCOUNT = "cs.account_overview as overview inner join cs.alerts as alerts using (account_id)"

_OF_PAGE = """
unnest(%(ids)s::bigint[]) with ordinality as ids (alert_id, place)
inner join cs.alerts as alerts using (alert_id)
left join lateral (
    select
        coalesce(overview.account_name, stg_accounts.account_name) as account_name,
        coalesce(overview.owner_email, stg_accounts.owner_email) as owner_email,
        overview.arr
    from (select alerts.account_id) as one
    left join cs.account_overview as overview using (account_id)
    left join staging.stg_accounts as stg_accounts using (account_id)
) as accounts on true
"""

_COUNT = """
select count(*)::integer
from (
    select 1
    from cs.alerts as alerts
    left join cs.account_overview as overview using (account_id)
    where {shown}
    limit %(counted)s
) as found
"""

# From rule to rule by the index, since there may be any number of alerts of each.
_BY_RULE = """
with recursive rules as (
    (
        select rule
        from cs.alerts
        where state in ('pending', 'firing', 'recovering')
        order by rule
        limit 1
    )
    union all
    select (
        select min(alerts.rule)
        from cs.alerts as alerts
        where alerts.state in ('pending', 'firing', 'recovering') and alerts.rule > rules.rule
    )
    from rules
    where rules.rule is not null
)

select
    rules.rule,
    (
        select count(*)::integer
        from (
            select 1
            from cs.alerts as alerts
            where alerts.state in ('pending', 'firing', 'recovering') and alerts.rule = rules.rule
            limit %(counted)s
        ) as found
    ) as alerts
from rules
where rules.rule is not null
order by rules.rule
"""
