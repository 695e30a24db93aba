"""Alerts as triggers: what a rule found, told once. They have no past.

A rule says of which accounts, users or other things something holds at the moment, and mostly goes on holding. What it
has told of opens no second trigger, for ever or until `again_after` is over (S1-13). Rules themselves are not here;
which plays an alert starts is up to their `trigger.when`.
"""

import json
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime, timedelta

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.facts.catalogue import TRIGGER_FACTS
from cs_pipeline.plays.triggers.causes import Causes, open_triggers
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.advisory_locks import AdvisoryLock, take_lock

_CAUSES = read_sql(__file__)
_TOLD = read_sql(__file__, "told")

FACTS = tuple(name for name in TRIGGER_FACTS["alert"] if name not in ("rule", "entity"))


def open_alerts(
    session: Session, rule: str, found: pd.DataFrame, now: datetime, again_after: timedelta | None = None
) -> int:
    """Write a trigger for everything `found` of which `rule` has not told before; returns how many.

    `found`: account_id, and where the rule has them entity (what it is about, within the account: a user, a ticket;
    the account itself where it is missing) and the facts of the catalogue, measured and held_against. Account and
    entity are the dedupe key: they count once, with their first row. `again_after`: how long after an alert the same
    may be told again; None: never. An alert is about `now`: that is when it occurred, and from when the steps of a
    play are counted.
    """
    if found.empty:
        return 0
    accounts = _names(found["account_id"])
    entities = _names(found["entity"]).fillna(accounts) if "entity" in found else accounts
    facts = [_facts(rule, entity, row) for entity, row in zip(entities, found.to_dict("records"), strict=True)]
    with session.cursor() as cursor:
        take_lock(cursor, AdvisoryLock.ALERTS)
    return open_triggers(
        session,
        Causes(
            _CAUSES,
            {
                "rule": rule,
                "account_ids": accounts.tolist(),
                "entities": entities.tolist(),
                "facts": facts,
                "now": now,
                "told_since": None if again_after is None else now - again_after,
            },
        ),
    )


def _names(column: pd.Series) -> pd.Series:
    """Ids as text: 12, also where a missing one beside it made it 12.0."""
    return column.convert_dtypes().astype("string").astype("object")


def _facts(rule: str, entity: str, row: Mapping[Hashable, object]) -> str:
    told = {name: row[name] for name in FACTS if name in row and not pd.isna(row[name])}  # pyright: ignore[reportArgumentType, reportCallIssue]
    return json.dumps({"rule": rule, "entity": entity, **told}, default=float)  # Decimals, and numbers of NumPy


def open_told(session: Session, alert_ids: Sequence[int], now: datetime) -> int:
    """Write a trigger for each of these alerts (of cs.alerts) that is about an account; returns how many are new.

    An alert is about `now`, when people are told of it: that is from when the steps of a play are counted.
    """
    if not alert_ids:
        return 0
    return open_triggers(session, Causes(_TOLD, {"alert_ids": list(alert_ids), "now": now}))
