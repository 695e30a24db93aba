"""Tell which accounts made the difference in a month: the bridge of MRR, and who moved it most. Reads only."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.plays.messages.environment import is_missing
from cs_pipeline.reports.dated.words import Money, account_words, count, number, share
from cs_pipeline.reports.kpis.asking import ask_kpis

MOVEMENTS = ("new", "reactivation", "expansion", "contraction", "churn")
SEVERITIES = ("healthy", "to be watched", "at risk", "critical")


@dataclass(frozen=True)
class Drivers:
    """`bridge`: opening_mrr, each of MOVEMENTS (losses below 0), closing_mrr. `counts`: accounts by movement.

    `rows`: the accounts with most, columns of marts.fct_mrr_drivers; by movement in the order of MOVEMENTS, then place.
    """

    month: date
    is_complete: bool
    bridge: Mapping[str, float]
    counts: Mapping[str, int]
    rows: pd.DataFrame


def drivers_of(
    session: Session, month: date | None = None, movement: str = "", owner: str = "", limit: int = 5
) -> Drivers:
    """The accounts that moved most in a month, `limit` of each movement; those of one owner where `owner` is given.

    `month`: its first day; without, the last that was over. Raises UserError while KPIs are not built, and for a month
    or a movement that is none.
    """
    if movement and movement not in MOVEMENTS:
        raise UserError(f"'{movement}' is no movement of MRR; there are: {', '.join(MOVEMENTS)}")
    values = {"month": month, "movement": movement or None, "owner": owner.lower() or None, "limit": limit}
    bridges = ask_kpis(session, _BRIDGE, values)
    if bridges.empty:
        of = f" in {month:%Y-%m}" if month else ""
        raise UserError(
            f"There was no MRR{of}{f' of {owner}' if owner else ''}; `cs-pipeline kpi show mrr` has the months"
        )
    (bridge,) = bridges.to_dict("records")
    values["month"] = bridge["month"]
    counted = ask_kpis(session, _COUNTS, values)
    return Drivers(
        month=bridge["month"],
        is_complete=bool(bridge["is_complete"]),
        bridge={name: float(bridge[name]) for name in ("opening_mrr", *MOVEMENTS, "closing_mrr")},
        counts=dict(zip(counted["movement"], counted["accounts"], strict=True)),
        rows=ask_kpis(session, _DRIVERS, values),
    )


def headline(found: Drivers, money: Money) -> str:
    """'October 2025: MRR rose from $221,319 to $223,453'."""
    opening, closing = found.bridge["opening_mrr"], found.bridge["closing_mrr"]
    moved = "rose from" if closing > opening else "fell from" if closing < opening else "stayed at"
    to = "" if closing == opening else f" to {money(closing)}"
    so_far = "" if found.is_complete else ", so far"
    return f"{found.month:%B %Y}{so_far}: MRR {moved} {money(opening)}{to}"


def bridge_line(found: Drivers, money: Money) -> str:
    """'new $1,967 (3 accounts), …, churn −$1,460 (2 accounts)'; what did not happen is left out."""
    moved = [
        f"{name} {money(found.bridge[name])} ({count(found.counts[name], 'account')})"
        for name in MOVEMENTS
        if found.counts.get(name)
    ]
    return ", ".join(moved) or "nothing moved"


def drivers_table(rows: pd.DataFrame, money: Money) -> pd.DataFrame:
    """Rows of `Drivers` as a table of short texts."""
    records = rows.to_dict("records")
    return pd.DataFrame(
        {
            "movement": [row["movement"] for row in records],
            "account": [account_words(row["account_name"], row["account_id"]) for row in records],
            "account_id": [row["account_id"] for row in records],
            "MRR": [f"{money(row['mrr_before'])} → {money(row['mrr_after'])}" for row in records],
            "change": [money(row["mrr_change"]) for row in records],
            "of_it": [share(row["share_of_movement"]) for row in records],
            "tier": [row["tier"] for row in records],
            "why": [_why(row, money) for row in records],
        }
    )


def _why(row: Mapping[Hashable, Any], money: Money) -> str:
    words = [
        f"{name.replace('_', '-')} {money(row[name])}" for name in ("upsell", "cross_sell", "price") if row[name] > 0
    ]
    if row["cancellation_reason"]:
        words.append(f"said: {row['cancellation_reason']}")
    if row["movement"] not in ("new", "reactivation"):
        known = is_missing(row["severity_before"])
        words.append(
            "not scored before"
            if known
            else f"was {SEVERITIES[row['severity_before']]} ({number(row['score_before'])})"
        )
    return ", ".join(words)


_BRIDGE = """
select *
from marts.fct_mrr_bridge
where
    segment_kind = case when %(owner)s::text is null then 'all' else 'owner' end
    and (%(owner)s::text is null or lower(segment) = %(owner)s)
    and month = coalesce(%(month)s::date, (select max(month) from marts.fct_mrr_bridge where is_complete))
"""
_COUNTS = """
select movement, count(*) as accounts
from marts.fct_mrr_drivers
where month = %(month)s and (%(owner)s::text is null or lower(owner_email) = %(owner)s)
group by movement
"""
_DRIVERS = """
select *
from (
    select
        *,
        row_number() over (partition by movement order by place) as place_here
    from marts.fct_mrr_drivers
    where
        month = %(month)s
        and (%(movement)s::text is null or movement = %(movement)s)
        and (%(owner)s::text is null or lower(owner_email) = %(owner)s)
) as placed
where place_here <= %(limit)s
order by array_position(array['new', 'reactivation', 'expansion', 'contraction', 'churn'], movement), place
"""
