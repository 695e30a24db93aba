"""One account in one week, told: its score, what it is made of, how it changed and why, what people set.

The words are those of `health.explanation`, which Slack and e-mail use too; here they meet the rows.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pandas as pd
from pydantic import ValidationError

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.backtest.likelihood import in_words, too_little
from cs_pipeline.errors import UserError
from cs_pipeline.health.explanation import (
    Change,
    Driver,
    driver_name,
    explain_change,
    explain_score,
    explain_severity,
    words_for_cause,
)
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.reports.alerts.lists import alert_table, alerts_of_account
from cs_pipeline.reports.alerts.text import rules_to_read
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.bulk import query, read_rows
from cs_pipeline.warehouse.connection import Warehouse

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Story:
    """What there is to tell."""

    account_id: str
    account_name: str
    week: date
    model: str
    """By which model and version."""
    paragraphs: list[str]
    """The first begins with the model."""
    tables: dict[str, pd.DataFrame]
    """By title: what the score is made of, what changed it, other models side by side, alerts."""


def tell_story(
    warehouse: Warehouse,
    account: str,
    week: date | None,
    rules: Mapping[str, Rule] | None = None,
    *,
    with_alerts: bool = True,
) -> Story:
    """The story of an account (its id or its exact name) in `week`, without one in the newest that has its score.

    `rules`: the alert rules, where they are read already; it takes half a second. Without alerts there is no table of
    them.
    Raises UserError when `week` is no Monday, there is no such account, or no score of it in the week.
    """
    if week and week.weekday() != 0:
        monday = week - timedelta(days=week.weekday())
        raise UserError(f"{week} is a {week:%A}; weeks are named by the Monday they start: ask for {monday}")
    row = _active_row(warehouse, account, week)
    model = _model(row)
    return Story(
        row["account_id"],
        row["account_name"],
        row["week"],
        _about_model(model, row),
        [*_about_score(model, row), *_about_change(row), *_about_signs(row), *_about_likelihood(row)],
        {
            "What the score is made of": _points(model, row),
            "What changed it": _drivers(row),
            "Other models, side by side": _side_by_side(warehouse, row),
            **({"Alerts": _alerts(warehouse, row, rules, is_newest=week is None)} if with_alerts else {}),
        },
    )


def _active_row(warehouse: Warehouse, account: str, week: date | None) -> Row:
    rows = read_rows(
        warehouse,
        read_sql(__file__),
        (account, week.isoformat() if week else ""),
    )
    if not rows:
        raise UserError(_without_a_row(warehouse, account, week))
    return {**rows[0], "definition": json.loads(rows[0]["definition"])}


def _without_a_row(warehouse: Warehouse, account: str, week: date | None) -> str:
    """Why there is nothing to tell, and what to ask for instead."""
    (weeks,) = read_rows(
        warehouse,
        """
        select min(accounts.account_id) as account_id, min(scores.week) as first, max(scores.week) as last
        from marts.dim_accounts as accounts
        left join cs.health_scores as scores on accounts.account_id = scores.account_id and scores.is_active
        where accounts.account_id = $1 or accounts.account_name = $1
        """,
        (account,),
    )
    if weeks["account_id"] is None:
        return f"There is no account '{account}'; give the id of an account, or its exact name"
    if weeks["first"] is None:
        return f"'{account}' is in no week that is scored: `cs-pipeline backfill --from … --to …` scores weeks"
    return (
        f"'{account}' has no score in the week {week}: it is in scored weeks from {weeks['first']} to {weeks['last']}"
    )


def _model(row: Row) -> ScoreModel | None:
    """The model as it scored; None when it was kept in a form that is no longer read."""
    try:
        return ScoreModel.model_validate(row["definition"])
    except ValidationError:
        return None


def _about_model(model: ScoreModel | None, row: Row) -> str:
    return f"{model.title if model else 'Model'} ({row['model']}, version {row['model_version']})"


def _about_score(model: ScoreModel | None, row: Row) -> list[str]:
    is_set = row["override_id"] is not None
    score, band = (row["model_score"], row["model_band"]) if is_set else (row["score"], row["band"])
    if model is None:
        says = "not scored" if score is None else f"score {score:.1f} ({band})"
        says += ". This version was kept in a form that is no longer read: what held the score back is not known."
    else:
        values = dict(zip(row["metrics"], row["metric_values"], strict=True))
        says = explain_score(Arithmetic(model), values, score, band)
    told = [f"{_about_model(model, row)}: {says}"]
    if row["status"] == "held":
        told.append(
            f"Held from the week {row['held_from']}: no events arrived since, so nothing is concluded from them."
        )
    if is_set:
        model_says = "no score" if score is None else f"{score:.1f} ({band})"
        told.append(
            f"Set by hand to {row['score']:.1f} ({row['band']}) by {row['set_by']}, until the week "
            f"{row['until_week']}: {row['reason']}. The model says {model_says}."
        )
    if row["carried"]:
        told.append(f"Carried forward from an earlier week: {', '.join(map(driver_name, row['carried']))}.")
    return told


def _about_likelihood(row: Row) -> list[str]:
    """How likely the account is to leave, by what became of others; or why that is not stated."""
    if row["likelihood"] is not None:
        return [in_words(row["likelihood"], row["likelihood_low"], row["likelihood_high"])]
    if row["score"] is None:
        return []
    if row["learned_from_departures"] is None:
        return ["How likely it is to leave is not worked out for this week: scoring it again does it."]
    reason = too_little(row["learned_from_departures"], row["learned_from_observations"])
    return [f"How likely it is to leave is not stated: {reason}."] if reason else []


def _about_change(row: Row) -> list[str]:
    if row["cause"] is None:
        return ["Nothing changed against the week before."]
    change = Change(row["from_score"], row["score"], row["from_band"], row["band"], _told_drivers(row))
    return [f"{explain_change(change)} Cause: {words_for_cause(row['cause'])}."]


def _about_signs(row: Row) -> list[str]:
    told = []
    if row["risks"]:
        told.append(f"Risks: {', '.join(row['risks'])}.")
    if row["opportunities"]:
        told.append(f"Opportunities: {', '.join(row['opportunities'])}.")
    if row["severity"] is not None:
        told.append(explain_severity(row["severity"]))
    return told


def _told_drivers(row: Row) -> list[Driver]:
    after = dict(zip(row["metrics"], row["metric_values"], strict=True))
    before = dict(zip(row["metrics_before"] or [], row["values_before"] or [], strict=True))
    return [
        Driver(metric, delta, cause, before.get(metric), after.get(metric))
        for metric, delta, cause in zip(
            row["driver_metrics"] or [], row["driver_deltas"] or [], row["driver_causes"] or [], strict=True
        )
    ]


def _points(model: ScoreModel | None, row: Row) -> pd.DataFrame:
    """Columns dimension, metric, value, points, of, gives_to_score, from_table: they sum to the model's score.

    The dimension is missing where the model is no longer read, the table where there is no such metric any more.
    """
    dimensions = model.dimensions if model else ()
    dimension_of = {metric.metric: each.dimension for each in dimensions for metric in each.metrics}
    return pd.DataFrame(
        {
            "dimension": [dimension_of.get(name) for name in row["metrics"]],
            "metric": row["metrics"],
            "value": row["metric_values"],
            "points": row["points"],
            "of": row["max_points"],
            "gives_to_score": row["contributions"],
            "from_table": [METRICS[name].source if name in METRICS else None for name in row["metrics"]],
        }
    )


def _drivers(row: Row) -> pd.DataFrame:
    """Columns driver, before, after, effect, cause: the effects sum to the change."""
    return pd.DataFrame(
        [
            (driver_name(driver.metric), driver.before, driver.after, driver.delta, words_for_cause(driver.cause))
            for driver in _told_drivers(row)
        ],
        columns=["driver", "before", "after", "effect", "cause"],
    )


def _alerts(warehouse: Warehouse, row: Row, rules: Mapping[str, Rule] | None, *, is_newest: bool) -> pd.DataFrame:
    """Alerts that fired or went on in the week, and those since where it is the newest; columns of `alert_table`."""
    first = datetime.combine(row["week"], time(), UTC)
    end = first + timedelta(days=7)
    with warehouse.session() as session:
        found = alerts_of_account(session, row["account_id"], first, end, and_since=is_newest)
    if found.empty:
        return found
    return alert_table(found, rules_to_read() if rules is None else rules).drop(columns=["account", "owner"])


def _side_by_side(warehouse: Warehouse, row: Row) -> pd.DataFrame:
    """Columns model, version, score, band, coverage: every other score of the account in the week."""
    return query(
        warehouse,
        """
        select model, model_version as version, score, band, coverage
        from cs.health_scores
        where account_id = $1 and week = $2::date and not is_active
        order by model, model_version
        """,
        (row["account_id"], row["week"].isoformat()),
    )
