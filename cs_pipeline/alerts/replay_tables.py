"""Write what a replay came to as tables: of alerts, of changes of their states, and of evaluations. Pure."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from cs_pipeline.alerts.fired import FIRED, MOMENT
from cs_pipeline.alerts.replay_arrays import CAUSES, GONE, NEVER, NONE, STATES, Ints, micros
from cs_pipeline.alerts.replay_book import ReplayBook
from cs_pipeline.alerts.replay_session import ReplayedRule

EVALUATIONS = {
    "rule": pa.string(),
    "as_of": MOMENT,
    "version": pa.string(),
    "health": pa.string(),
    "found": pa.int64(),
    "fired": pa.int64(),
    "resolved": pa.int64(),
    "closed": pa.int64(),
    "inhibited": pa.int64(),
    "out_of_audience": pa.int64(),
    "held": pa.int64(),
    "error": pa.string(),
}


def fired_table(replayed: Sequence[ReplayedRule], book: ReplayBook) -> pd.DataFrame:
    """The alerts that fired: columns FIRED, by rule, account, entity and moment. Nobody was told of them."""
    tables = [_fired(each, book) for each in replayed]
    fired = pa.concat_tables([pa.schema(list(FIRED.items())).empty_table(), *tables])
    return fired.sort_by([(name, "ascending") for name in ("rule", "account_id", "entity", "fired_at")]).to_pandas()


def _fired(replayed: ReplayedRule, book: ReplayBook) -> pa.Table:
    alerts = replayed.states.alerts
    alerts = alerts[(alerts["state"] != GONE) & (alerts["fired_at"] != NEVER)]
    version_at = {micros(each.as_of): each.version for each in replayed.evaluations}
    moments, of = np.unique(alerts["fired_at"], return_inverse=True)
    versions = np.array([version_at[at] for at in moments.tolist()], object)
    nothing = np.full(len(alerts), None)
    columns = {
        "rule": np.full(len(alerts), replayed.rule.name, object),
        "account_id": _named(alerts["account"], book.accounts),
        "entity": _named(alerts["key"], replayed.keys.entities),
        "version": versions[of] if len(alerts) else nothing,
        "state": _named(alerts["state"], STATES),
        "cause": _named(alerts["cause"], CAUSES),
        **{name: _moments(alerts[name]) for name in ("since", "fired_at", "ended_at")},
        **{name: alerts[name] for name in ("reopened", "is_baseline", "is_held")},
        **dict.fromkeys(("hours_to_acknowledge", "is_put_off", "is_touched"), nothing),
    }
    return pa.table({name: pa.array(columns[name], kind) for name, kind in FIRED.items()})


def changes_table(replayed: Sequence[ReplayedRule]) -> pd.DataFrame:
    """How often an alert of a rule went from one state to another: rule, from_state, to_state, changes."""
    counted = []
    for each in replayed:
        changes = each.states.changes
        pairs, counts = np.unique((changes["from"] + 1) * len(STATES) + changes["to"], return_counts=True)
        counted += [
            (each.rule.name, (None, *STATES)[pair // len(STATES)], STATES[pair % len(STATES)], count)
            for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True)
        ]
    return pd.DataFrame(counted, columns=["rule", "from_state", "to_state", "changes"])


def evaluations_table(replayed: Sequence[ReplayedRule]) -> pd.DataFrame:
    """The evaluations: columns EVALUATIONS, by rule and moment."""
    rows = sorted(
        (each for of_rule in replayed for each in of_rule.evaluations), key=lambda each: (each.rule, each.as_of)
    )
    columns = {name: pa.array([getattr(row, name) for row in rows], kind) for name, kind in EVALUATIONS.items()}
    return pa.table(columns).to_pandas()


def _named(codes: Ints, names: Sequence[str]) -> np.ndarray:
    """The names of codes, None for NONE."""
    known = np.array([*names, None], object)
    return known[np.where(codes == NONE, len(names), codes)]


def _moments(at: Ints) -> pa.Array:
    return pa.array(at, pa.int64(), mask=at == NEVER).cast(MOMENT)
