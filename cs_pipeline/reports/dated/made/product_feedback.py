"""Tell the product team what customers ask for (S3-50, S3-53, S3-54): by feature, with customers, ARR and renewals.

It counts what was handed on to the product team and is not settled. Who the customers are, and what they pay, is as it
was in the last week of the period.
"""

import pandas as pd

from cs_pipeline.reports.dated.asking import Asking, Row, left_out
from cs_pipeline.reports.dated.report import Column, Report, Table
from cs_pipeline.reports.dated.words import account_words, count, day, moved, number
from cs_pipeline.sql_files import read_sql

NAME = "product_feedback"
TITLE = "What customers ask of the product"
TEAM = "product"
LOOKS_BACK_DAYS = 90
RENEWAL_DAYS = 90
MOST_ROWS = 25
LONGEST_QUOTE = 160
UNNAMED = "no feature named"


def product_feedback(asking: Asking) -> Report:
    """The digest of a week. Raises UserError while the marts are not built."""
    limits = {"team": TEAM, "looks_back_days": LOOKS_BACK_DAYS, "renewal_days": RENEWAL_DAYS, "most": MOST_ROWS}
    asked = read_sql(__file__, "asked")
    totals = asking.one(read_sql(__file__, "totals", all_requests=asked), limits)
    features = asking.ask(read_sql(__file__, "features", all_requests=asked), limits)
    new = asking.ask(read_sql(__file__, "new", all_requests=asked), limits)
    renewals = asking.ask(read_sql(__file__, "renewals", all_requests=asked), limits)
    return Report(
        name=NAME,
        title=TITLE,
        period=asking.period,
        headline=_headline(totals, asking),
        changes=_changes(totals),
        decisions=tuple(_decisions(totals, features, asking)),
        tables=(_features(features, asking), _new(new, asking), _renewals(renewals, asking)),
        notes=(
            f"Open requests and shortcomings of {LOOKS_BACK_DAYS} days before the end of the week that went to {TEAM}; "
            "each customer counts once a feature. ARR stands behind a request, it does not hang on it alone.",
        ),
    )


def _headline(totals: Row, asking: Asking) -> str:
    if not totals["items"]:
        return "no open request"
    return (
        f"{count(int(totals['items']), 'open request')} of {count(int(totals['accounts']), 'customer')} with "
        f"{asking.money(totals['arr'])} ARR, {totals['new']:,} of them new"
    )


def _changes(totals: Row) -> tuple[str, ...]:
    told = [moved("New requests a week", totals["new_before"], totals["new"], number) + "."]
    if totals["settled"]:
        told.append(f"{count(int(totals['settled']), 'request')} settled this week.")
    return tuple(told)


def _decisions(totals: Row, features: pd.DataFrame, asking: Asking) -> list[str]:
    told = [
        f"{row['feature_name'] or row['feature']}: {count(int(row['accounts']), 'customer')} with "
        f"{asking.money(row['arr'])} ARR ask for it, {asking.money(row['arr_renewing'])} of it renews within "
        f"{RENEWAL_DAYS} days. Build, plan, or say no?"
        for row in features.to_dict("records")
        if row["feature"] and row["arr_renewing"]
    ][:3]
    if totals["triage"]:
        told.append(f"{count(int(totals['triage']), 'item')} in triage: cs-pipeline feedback list --triage")
    return told or ["Nothing this week."]


def _features(rows: pd.DataFrame, asking: Asking) -> Table:
    return Table(
        title="By feature",
        columns=(
            Column("Feature"),
            Column("Requests", is_number=True),
            Column("New", is_number=True),
            Column("Customers", is_number=True),
            Column("Enterprise", is_number=True),
            Column("ARR", is_number=True),
            Column(f"ARR renewing ≤ {RENEWAL_DAYS} d", is_number=True),
        ),
        rows=tuple(
            (
                row["feature_name"] or row["feature"] or UNNAMED,
                number(row["items"]),
                number(row["new"]),
                number(row["accounts"]),
                number(row["enterprise"]),
                asking.money(row["arr"]),
                asking.money(row["arr_renewing"]),
            )
            for row in rows.to_dict("records")
        ),
        empty=f"Nobody asked for anything in {LOOKS_BACK_DAYS} days that is still open.",
        more=left_out(rows),
    )


def _new(rows: pd.DataFrame, asking: Asking) -> Table:
    return Table(
        title="New this week",
        columns=(
            Column("Account"),
            Column("Priority"),
            Column("Feature"),
            Column("Words"),
            Column("ARR", is_number=True),
        ),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                row["priority"],
                row["feature_name"] or row["feature"] or UNNAMED,
                _quoted(row["words"]),
                asking.money(row["arr"]),
            )
            for row in rows.to_dict("records")
        ),
        accounts=tuple(rows["account_id"]),
        empty="Nobody asked for anything this week.",
        more=left_out(rows),
    )


def _renewals(rows: pd.DataFrame, asking: Asking) -> Table:
    return Table(
        title=f"Who asks and renews within {RENEWAL_DAYS} days",
        columns=(Column("Account"), Column("Renews"), Column("Asks for"), Column("ARR", is_number=True)),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                day(row["renewal_date"]),
                ", ".join(row["features"]) or UNNAMED,
                asking.money(row["arr"]),
            )
            for row in rows.to_dict("records")
        ),
        accounts=tuple(rows["account_id"]),
        empty=f"Nobody who asks for something renews within {RENEWAL_DAYS} days.",
        more=left_out(rows),
    )


def _quoted(words: object) -> str:
    text = " ".join(words.split()) if isinstance(words, str) else ""
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1].rstrip()}…"
