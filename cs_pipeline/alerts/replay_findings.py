"""Ask the view of a rule about many moments at once, for a replay, and give what it found moment by moment.

A view that fails, or gives rows that no alert can be made of, is asked about one moment after the other as `findings`
does live, so that a moment costs no other. Inputs too old at a moment are no_data then, as they would have been.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import psycopg2
import pyarrow as pa
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.findings import ANY_JOINS, HASH_JOINS, find, version_of
from cs_pipeline.alerts.fired import copied_table
from cs_pipeline.alerts.freshness import Freshness, Stale
from cs_pipeline.alerts.replay_arrays import Found, Ints, micros
from cs_pipeline.alerts.replay_book import ReplayBook
from cs_pipeline.alerts.rule_transaction import begin, in_words
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.errors import UserError
from cs_pipeline.sql_files import read_sql

AS_LONG_AS_IT_NEEDS = timedelta(0)
_COLUMNS = {
    "at": pa.int64(),
    "account_id": pa.string(),
    "entity": pa.string(),
    "measured": pa.float64(),
    "held_against": pa.float64(),
    "facts": pa.int64(),
    "is_wrong": pa.bool_(),
}
_NOTHING = np.empty(0, np.int64)


class Keys:
    """Codes of what a rule speaks of: an account and an entity of it. `account`: the code of that of each key."""

    def __init__(self) -> None:
        self.entities: list[str] = []
        self.account: Ints = _NOTHING
        self._entity_codes: dict[str, int] = {}
        self._codes: dict[int, int] = {}

    def codes(self, accounts: Ints, entities: pa.ChunkedArray) -> Ints:
        """The codes of these, with new ones for those that are new."""
        written = entities.combine_chunks().dictionary_encode()
        number = self._entity_codes
        known = np.array([number.setdefault(each, len(number)) for each in written.dictionary.to_pylist()], np.int64)
        pairs, unique = pd.factorize(accounts << 32 | known[written.indices.to_numpy()])
        codes = self._codes
        of_unique = np.array([codes.setdefault(each, len(codes)) for each in unique.tolist()], np.int64)
        is_new = of_unique >= len(self.account)
        self.account = np.r_[self.account, unique[is_new] >> 32]
        names = list(number) if is_new.any() else []
        self.entities += [names[each] for each in (unique[is_new] & 0xFFFFFFFF).tolist()]
        return of_unique[pairs]


@dataclass(frozen=True)
class Findings:
    """What a rule found at moments that it was asked about, and where it has no data or could not be asked.

    `version`: of the rule then; empty where it could not be asked at all.
    """

    version: str
    without_data: dict[datetime, list[Stale]] = field(default_factory=dict)
    errors: dict[datetime, str] = field(default_factory=dict)
    found: dict[datetime, Found] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows there are of all moments."""
        return sum(len(each.key) for each in self.found.values())


def ask(
    session: Session,
    rule: Rule,
    moments: Sequence[datetime],
    keys: Keys,
    book: ReplayBook,
    accounts: str,
    freshness: Freshness,
) -> Findings:
    """Ask the rule about these moments. `accounts`: as of `findings.find`."""
    _ask_with(session, rule)
    begin(session, *moments, longest=AS_LONG_AS_IT_NEEDS)
    stale = freshness.stale_inputs(session, rule.alert.needs_fresh, moments)
    without_data = {moment: inputs for moment, inputs in stale.items() if inputs}
    fresh = [moment for moment in moments if moment not in without_data]
    try:
        version = version_of(session, rule)
    except UserError as error:
        return Findings("", without_data, dict.fromkeys(fresh, in_words(error)))
    found = _ask_at_once(session, rule, fresh, keys, book) if fresh else {}
    errors: dict[datetime, str] = {}
    if found is None:
        found = {}
        for moment in fresh:
            answer = _ask_alone(session, rule, moment, keys, book, accounts)
            if isinstance(answer, str):
                errors[moment] = answer
            else:
                found[moment] = answer
    return Findings(version, without_data, errors, found)


def _ask_at_once(
    session: Session, rule: Rule, moments: Sequence[datetime], keys: Keys, book: ReplayBook
) -> dict[datetime, Found] | None:
    """What the view finds at all moments, or None where it fails, or gives a row that no alert can be made of."""
    with session.cursor() as cursor:
        cursor.execute("savepoint asked")
        begin(session, *moments, longest=AS_LONG_AS_IT_NEEDS)
        cursor.execute(HASH_JOINS)
        try:
            table = _read(session, rule, rule.relation)
        except psycopg2.Error:
            if session.closed:
                raise
            cursor.execute("rollback to savepoint asked")
            return None
        cursor.execute(ANY_JOINS)
        cursor.execute("release savepoint asked")
    return _by_moment(table, moments, keys, book, with_left=rule.alert.covers_churned)


def _ask_alone(
    session: Session, rule: Rule, moment: datetime, keys: Keys, book: ReplayBook, accounts: str
) -> Found | str:
    """What the view finds at one moment, or what is wrong with it."""
    with session.cursor() as cursor:
        cursor.execute("savepoint asked")
        try:
            begin(session, moment, longest=AS_LONG_AS_IT_NEEDS)
            find(session, rule, accounts)
            found = _by_moment(_read(session, rule, "alert_rows"), [moment], keys, book, with_left=True)
        except (psycopg2.Error, UserError) as error:
            if session.closed:
                raise
            return in_words(error)
        finally:
            if not session.closed:
                cursor.execute("rollback to savepoint asked; release savepoint asked")
    assert found is not None  # `find` has refused what is wrong
    return found[moment]


def _read(session: Session, rule: Rule, relation: str) -> pa.Table:
    sql = read_sql(__file__, relation=relation)
    return copied_table(session, sql, _COLUMNS, {"needs_account": rule.alert.mode == "per_row"})


def _by_moment(
    table: pa.Table, moments: Sequence[datetime], keys: Keys, book: ReplayBook, *, with_left: bool
) -> dict[datetime, Found] | None:
    """The rows by moment, without accounts that had left; None where one cannot be an alert."""
    account, at = book.codes(table["account_id"]), table["at"].to_numpy()
    is_wrong = table["is_wrong"].to_numpy()
    asked = np.array([micros(moment) for moment in moments], np.int64)
    kept = np.ones(len(at), bool) if with_left else is_wrong | (book.left_at[account] > at)
    position = np.minimum(np.searchsorted(asked, at), len(asked) - 1)
    if (kept & (is_wrong | (asked[position] != at))).any():
        return None
    rows = np.flatnonzero(kept)
    rows = rows[np.argsort(position[rows], kind="stable")]
    position, account = position[rows], account[rows]
    key = keys.codes(account, table["entity"].take(pa.array(rows)))
    if len(pd.unique(position * (len(keys.account) + 1) + key)) < len(key):
        return None
    measured, held_against, facts = (table[name].to_numpy()[rows] for name in ("measured", "held_against", "facts"))
    ends = np.searchsorted(position, np.arange(len(asked) + 1))
    return {
        moment: Found(key[rows], account[rows], measured[rows], held_against[rows], facts[rows])
        for moment, rows in zip(moments, map(slice, ends[:-1], ends[1:]), strict=True)
    }


def _ask_with(session: Session, rule: Rule) -> None:
    """Say with which parameters the view of the rule is asked."""
    parameters = {rule.name: {tier: dict(values) for tier, values in rule.parameters.items()}}
    with session.cursor() as cursor:
        cursor.execute("select set_config('cs_pipeline.alert_parameters', %s, true)", [json.dumps(parameters)])
