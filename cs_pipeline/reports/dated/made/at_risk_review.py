"""The weekly review of customers at risk (S3-77): who is new, worse, better; who is left alone; what renews soon.

Everything is as it was at the end of the week: scores, ARR, owners and touchpoints from the week's own rows, alerts
from their changes, plays from when they began and ended.
"""

from collections.abc import Mapping

import pandas as pd

from cs_pipeline.reports.alerts.text import rules_to_read
from cs_pipeline.reports.dated.asking import NOT_DATED, Asking, Row
from cs_pipeline.reports.dated.made import at_risk_tables
from cs_pipeline.reports.dated.made.at_risk_tables import MOST_ROWS, RENEWAL_DAYS
from cs_pipeline.reports.dated.report import Report
from cs_pipeline.reports.dated.words import account_words, count, moved, number
from cs_pipeline.sql_files import read_sql

NAME = "at_risk_review"
TITLE = "At-risk review"
WORSE_BY = 5.0
"""Points of the score within a week from which an account that stays at risk counts as worse or better."""
SILENT_DAYS = 14
TREND_WEEKS = 13

_STANDING = read_sql(__file__, "standing")


def at_risk_review(asking: Asking) -> Report:
    """The review of a week. Raises UserError while the marts are not built."""
    limits = {"worse_by": WORSE_BY, "silent_days": SILENT_DAYS, "renewal_days": RENEWAL_DAYS}
    totals = asking.one(read_sql(__file__, "totals", standing=_STANDING), limits)
    shown = {
        kind: asking.ask(
            read_sql(__file__, "accounts", standing=_STANDING, kind=condition), {**limits, "most": MOST_ROWS}
        )
        for kind, condition in _KINDS.items()
    }
    rules = rules_to_read()
    disagreeing = [name for name in rules if name.startswith("disagreement")]
    disagreements = asking.ask(read_sql(__file__, "disagreements"), {"rules": disagreeing, "most": MOST_ROWS})
    fired = asking.ask(read_sql(__file__, "alerts"))
    trend = asking.ask(read_sql(__file__, "trend"), {"trend_weeks": TREND_WEEKS})
    return Report(
        name=NAME,
        title=TITLE,
        period=asking.period,
        headline=_headline(totals, asking),
        changes=_changes(totals, fired, asking),
        decisions=tuple(_decisions(totals, shown, disagreements, asking)),
        tables=(
            at_risk_tables.table("Newly at risk", shown["new"], asking, "Nobody fell into risk this week."),
            at_risk_tables.table(
                "At risk and worse", shown["worse"], asking, "Of those at risk before, nobody is worse."
            ),
            at_risk_tables.table("Still at risk", shown["still"], asking, "Nobody else is at risk."),
            at_risk_tables.table("Better, or out of risk", shown["better"], asking, "Nobody got better."),
            at_risk_tables.renewals(shown["renewals"], asking),
            at_risk_tables.disagreements(disagreements, rules, asking),
            at_risk_tables.fired(fired, rules, asking),
        ),
        figures=tuple(at_risk_tables.trend_of(trend, asking)),
        notes=tuple(_notes(totals)),
        owner=asking.owner,
    )


_KINDS = {
    "new": "standing = 'new'",
    "worse": "standing = 'worse'",
    "still": "standing = 'still'",
    "better": "standing in ('out', 'better')",
    "renewals": "renews_soon",
    "silent": "is_silent",
    "leaving": "has_cancellation_request",
}


def _headline(totals: Row, asking: Asking) -> str:
    if not totals["scored"]:
        return "no account has a score for this week"
    at_risk, fallen = int(totals["at_risk"]), int(totals["fallen"])
    new = f", {fallen:,} of them new" if fallen else ", none of them new"
    return f"{count(at_risk, 'account')} at risk with {asking.money(totals['arr_at_risk'])} ARR{new if at_risk else ''}"


def _changes(totals: Row, fired: pd.DataFrame, asking: Asking) -> tuple[str, ...]:
    money = asking.money
    told = [
        moved("ARR at risk", totals["arr_at_risk_before"], totals["arr_at_risk"], money)
        + f" of {money(totals['arr'])}.",
        moved("Accounts at risk", totals["at_risk_before"], totals["at_risk"], number)
        + f": {totals['fallen']:,} new, {totals['recovered']:,} recovered.",
    ]
    if not pd.isna(totals["arr_expected_to_leave"]):
        told.append(
            f"Of all accounts, {money(totals['arr_expected_to_leave'])} ARR is expected to leave within 90 days "
            f"({money(totals['arr_expected_at_least'])} to {money(totals['arr_expected_at_most'])}): what each pays, "
            "times how likely it is to leave by its score."
        )
    if totals["recovered"]:
        told.append(f"Recovered: {money(totals['arr_recovered'])} ARR.")
    if len(fired):
        told.append(f"{count(int(fired['alerts'].sum()), 'alert')} of {count(len(fired), 'rule')} fired.")
    return tuple(told)


def _decisions(
    totals: Row, shown: Mapping[str, pd.DataFrame], disagreements: pd.DataFrame, asking: Asking
) -> list[str]:
    money = asking.money
    told = []
    if totals["fallen"]:
        first = shown["new"].to_dict("records")[0]
        told.append(
            f"Who calls the {count(int(totals['fallen']), 'account')} newly at risk "
            f"({money(totals['arr_fallen'])} ARR)? "
            f"Begin with {account_words(first['account_name'], first['account_id'])}."
        )
    if totals["silent"]:
        told.append(
            f"Who talks to the {count(int(totals['silent']), 'account')} at risk that nobody talked to "
            f"in {SILENT_DAYS} days ({money(totals['arr_silent'])} ARR): {_names(shown['silent'])}?"
        )
    if totals["renewing_at_risk"]:
        told.append(
            f"What is offered to the {count(int(totals['renewing_at_risk']), 'account')} at risk that "
            f"{'renews' if totals['renewing_at_risk'] == 1 else 'renew'} within {RENEWAL_DAYS} days "
            f"({money(totals['arr_renewing_at_risk'])} ARR)?"
        )
    if totals["asked_to_cancel"]:
        told.append(
            f"Who answers {count(int(totals['asked_to_cancel']), 'request')} to cancel "
            f"({money(totals['arr_asked_to_cancel'])} ARR): {_names(shown['leaving'])}?"
        )
    if len(disagreements):
        told.append(
            f"Is the score right for {count(int(disagreements['of_all'].iloc[0]), 'account')} whose signals disagree "
            "with it? A person can set another, with a reason and an end."
        )
    return told or ["Nothing this week."]


def _names(rows: pd.DataFrame, most: int = 3) -> str:
    names = [account_words(row["account_name"], row["account_id"]) for row in rows.head(most).to_dict("records")]
    more = int(rows["of_all"].iloc[0]) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")


def _notes(totals: Row) -> list[str]:
    unscored = int(totals["accounts"]) - int(totals["scored"])
    told = (
        [f"{count(unscored, 'account')} of {totals['accounts']:,} {'has' if unscored == 1 else 'have'} no score."]
        if unscored
        else []
    )
    return [*told, NOT_DATED]
