"""Read today's facts of accounts, in one query for any number of them.

What each fact means is in `catalogue`; the query itself in `query.sql`. Facts of a trigger are those that were
written with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import psycopg2
from pandas.api.extensions import ExtensionArray
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS, WEEK_COLUMNS, Catalogue, FactType
from cs_pipeline.renewals.dates import next_renewal
from cs_pipeline.settings import Settings
from cs_pipeline.sql_files import read_sql

_TODAY = "%(today)s::date"
# What a week knows of an account's renewals gives way to what is signed by now; a date that is past stays so.
_RENEWAL_DATE = f"""
    case
        when subjects.subscription_id is not null
            then {next_renewal("subjects.renews_on", "subjects.renews_every_months", _TODAY)}
        when %(sees_ahead)s and next_renewals.account_id is not null then next_renewals.renewal_date
        when
            %(sees_ahead)s
            and weeks.renewal_date >= {_TODAY}
            and exists (select 1 from terms where terms.account_id = cases.account_id)
            then null
        else weeks.renewal_date
    end
"""
_SQL = read_sql(
    __file__,
    week_columns=",\n    ".join(f"weeks.{column}" for column in WEEK_COLUMNS),
    renewal_date=_RENEWAL_DATE,
    renewal_of_term=next_renewal("renews_on", "renews_every_months", _TODAY),
    renewal_from_anchor=next_renewal("subjects.renews_on", "subjects.renews_every_months", "cases.anchor_on"),
)
WEEKLY = "the weekly job, or `cs-pipeline backfill`,"
NOT_BUILT = (psycopg2.errors.UndefinedTable, psycopg2.errors.UndefinedColumn, psycopg2.errors.InvalidSchemaName)

CASE_COLUMNS = ("case_id", "account_id", "subject_id", "trigger_id", "anchor_on", "since")

KNOWN = "is_known"
"""Column beside the facts: false where the warehouse has no such account."""


@dataclass(frozen=True)
class AsOf:
    """Who asks, and when: what the answer depends on besides the account.

    `sees_ahead`: what is signed or ends on a day to come counts, as it does for plays of today; who asks about a past
    moment sees only what had arrived or happened by then.
    """

    settings: Settings
    now: datetime
    sees_ahead: bool = True


def read(session: Session, cases: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """Facts of `cases` (CASE_COLUMNS), with the index of `cases`.

    `trigger_id` is the cause of the play, None where there is none yet; `subject_id` the subscription it is about.
    Columns are those of the catalogue, with nullable types, and `KNOWN`. Raises UserError while the marts are not
    built.
    """
    since = cases["since"].tolist()
    parameters = {
        "case_ids": cases["case_id"].tolist(),
        "account_ids": cases["account_id"].tolist(),
        "subject_ids": cases["subject_id"].tolist(),
        "trigger_ids": cases["trigger_id"].tolist(),
        "anchors": cases["anchor_on"].tolist(),
        "since": since,
        "earliest": min(since, default=as_of.now),  # a constant, so that an index over time can be used
        "now": as_of.now,
        "today": as_of.now.date(),
        "sees_ahead": as_of.sees_ahead,
        "high_value_arr": as_of.settings.high_value_arr,
    }
    found = ask_marts(session, _SQL, parameters, who_needs="Plays need").set_index("case_id")
    answers = found.loc[cases["case_id"]]
    answers.index = cases.index
    return typed(answers, ACCOUNT_FACTS).assign(**{KNOWN: answers[KNOWN].astype(bool)})


def typed(values: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """The facts of `catalogue` out of `values`, in their types; a fact that is not there is missing everywhere.

    Columns are built as arrays: with a Series of each it takes seven times as long, and most batches have few rows.
    """
    given = values.to_numpy(dtype="object")
    places = {name: place for place, name in enumerate(values.columns)}
    nothing = np.full(len(values), None, dtype="object")
    columns = {
        name: _ARRAYS[fact.type](given[:, places[name]] if name in places else nothing)
        for name, fact in catalogue.items()
    }
    return pd.DataFrame(columns, index=values.index, copy=False)


def _numbers(given: np.ndarray) -> pd.arrays.FloatingArray:
    is_missing = pd.isna(given)
    return pd.arrays.FloatingArray(np.where(is_missing, 0, given).astype("float64"), is_missing)


def _booleans(given: np.ndarray) -> ExtensionArray:
    return pd.array(given, dtype="boolean")  # refuses what is neither true nor false


def _texts(given: np.ndarray) -> ExtensionArray:
    return pd.array(given, dtype="string")


_ARRAYS: Mapping[FactType, Callable[[np.ndarray], ExtensionArray | np.ndarray]] = {
    "number": _numbers,
    "text": _texts,
    "boolean": _booleans,
    "date": np.copy,
}


def as_mappings(facts: pd.DataFrame) -> dict[int, dict[str, object]]:
    """Facts by row as plain Python values: None where missing, whole numbers as int."""
    names = [name for name in facts.columns if name != KNOWN]
    rows = zip(*(map(_plain, facts[name].tolist()) for name in names), strict=True)
    return {index: dict(zip(names, row, strict=True)) for index, row in zip(facts.index, rows, strict=True)}


def _plain(value: object) -> object:
    if value is pd.NA or value is pd.NaT or value != value:  # NaN alone differs from itself
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def facts_column(values: pd.Series) -> pd.Series:
    """Values as plain objects, None where missing."""
    return values.astype("object").where(values.notna(), None)


def text_or_none(value: object) -> str | None:
    """A fact as text; None where it is missing or empty."""
    return value if isinstance(value, str) and value else None


def ask_marts(
    session: Session, sql: str, parameters: Mapping[str, object], *, who_needs: str, built_by: str = WEEKLY
) -> pd.DataFrame:
    """The rows of `sql`, columns of Python values.

    `who_needs` begins the error, as in 'Plays need'; `built_by` ends it. Raises UserError while they are not built.
    """
    try:
        with session.cursor() as cursor:
            cursor.execute(sql, parameters)
            columns = [column.name for column in cursor.description or ()]
            rows = cursor.fetchall()
    except NOT_BUILT as error:
        raise UserError(
            f"{who_needs} the marts, and they are not built, or by an older version: {error.diag.message_primary}. "
            f"Run {built_by} first."
        ) from None
    return pd.DataFrame(rows, columns=columns, dtype="object")
