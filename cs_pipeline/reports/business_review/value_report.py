"""The value report of one customer (S4-189, S5-30): what was gained, beside what is paid, and how the product was used.

The customer reads it, so it is made of `facts` alone, which hold no score, alert or play, and it links nowhere. It has
the form of all reports, and so their faces: page, mail, Slack. What nobody measured is asked instead.
"""

from collections.abc import Iterator

import altair as alt
import pandas as pd

from cs_pipeline.plays.messages.environment import is_missing
from cs_pipeline.reports.business_review.facts import Review
from cs_pipeline.reports.dated.periods import Period
from cs_pipeline.reports.dated.report import Column, Figure, Report, Table
from cs_pipeline.reports.dated.words import Money, account_words, count, day, moved, number, share

NAME = "value_report"
MOST_ROWS = 12
LONGEST_WORDS = 120
DAYS_OF_A_YEAR = 365.25
WIDTH, HEIGHT = 540, 220


def value_report(review: Review, money: Money) -> Report:
    """The report of the months that `review` is about."""
    return Report(
        name=NAME,
        title=f"Value report: {account_words(review.account['account_name'], review.account['account_id'])}",
        period=Period("once", review.first, review.end),
        headline=_headline(review, money),
        changes=tuple(_changes(review, money)),
        decisions=tuple(_decisions(review)),
        tables=(_value_table(review, money), _usage_table(review), _features_table(review), _feedback_table(review)),
        figures=tuple(_figures(review)),
        notes=(
            "Value is what was recorded for you: revenue, savings and time at the amount that you agreed to. What you "
            "pay is your contract of today over as many days.",
        ),
    )


def _headline(review: Review, money: Money) -> str:
    total, ratio = _total(review), _ratio(review)
    if not total:
        return "no value is recorded for these months yet"
    return f"{money(total)} of value" + (
        f", {number(ratio)} times what you pay for as long" if ratio and ratio >= 1 else ""
    )


def _changes(review: Review, money: Money) -> Iterator[str]:
    total, people = _total(review), _known(review.weeks["active_users_7d"])
    if total or review.value_before:
        yield moved("Value, against as many months before,", review.value_before, total, money) + "."
    if len(people) > 1:
        yield moved("People active a week", people[0], people[-1], number) + "."
    in_use = _known(review.weeks["feature_adoption_ratio"])
    if len(in_use) > 1:
        yield moved("Features in use", in_use[0], in_use[-1], share) + "."
    if len(review.tickets):
        opened = int(review.tickets["opened"].sum())
        answered = (
            "" if is_missing(review.hours_to_answer) else f", half answered within {number(review.hours_to_answer)} h"
        )
        yield f"{count(opened, 'ticket')} opened{answered}; {len(review.open_tickets):,} open today."
    if not total and not people and not len(review.tickets):
        yield "Nothing was recorded in these months."


def _decisions(review: Review) -> Iterator[str]:
    account, goal = review.account, _text(review.account["sales_goal"])
    yield (
        f"Your goal was: {goal.rstrip('.')}. Is it reached, and what comes next?"
        if goal
        else "Which goal do we measure the coming months by?"
    )
    if not _total(review):
        yield "Which result would prove the value to you, and who records it?"
    unused = [row["feature"] for row in review.features.to_dict("records") if row["is_core"] and not row["uses"]]
    if unused:
        yield f"Who tries {unused[0]} first? It is included and nobody used it in these months."
    if not is_missing(account["renewal_date"]) and account["renewal_date"] >= review.end:
        yield f"The contract renews on {day(account['renewal_date'])}: what has to be true by then?"


def _value_table(review: Review, money: Money) -> Table:
    total = _total(review)
    by_kind = _by_kind(review)
    rows = [(_words(kind), money(amount), share(amount / total)) for kind, amount in by_kind.items()] if total else []
    paid = _paid(review)
    if total:
        rows.append(("Together", money(total), share(1)))
    if total and paid:
        rows.append(("What you pay for as long", money(paid), ""))
        rows.append((f"Value for each {money(1)} paid", number(total / paid), ""))
    return Table(
        title="Value and return",
        columns=(Column("Value"), Column("Amount", is_number=True), Column("Share", is_number=True)),
        rows=tuple(rows),
        empty="No value is recorded for these months: what did the product save or earn you?",
    )


def _usage_table(review: Review) -> Table:
    measures = (
        ("People active a week", "active_users_7d", number),
        ("People active in 30 days", "active_users_30d", number),
        ("Seats", "seats", number),
        ("Logins a week", "logins_7d", number),
        ("Features in use", "feature_adoption_ratio", share),
    )
    rows = []
    for title, column, say in measures:
        if known := _known(review.weeks[column]):
            rows.append((title, say(known[0]), say(known[-1]), say(max(known))))
    return Table(
        title="Usage",
        columns=(
            Column("Measure"),
            Column("First week", is_number=True),
            Column("Last week", is_number=True),
            Column("Most", is_number=True),
        ),
        rows=tuple(rows),
        empty="Nobody used the product in these months.",
    )


def _features_table(review: Review) -> Table:
    used = review.features[review.features["uses"].astype(float) > 0]
    return Table(
        title="What you used most",
        columns=(Column("Feature"), Column("Uses", is_number=True), Column("Before", is_number=True)),
        rows=tuple(
            (str(row["feature"]), number(row["uses"]), number(row["uses_before"]))
            for row in used.head(MOST_ROWS).to_dict("records")
        ),
        more=max(0, len(used) - MOST_ROWS),
        empty="No use of a feature was recorded.",
        note="Before: over as many months before these.",
    )


def _feedback_table(review: Review) -> Table:
    return Table(
        title="What you told us",
        columns=(Column("You said"), Column("Kind"), Column("Status")),
        rows=tuple(
            (
                _cut(_text(row["body"]) or _words(row["kind"])),
                _words(row["kind"]),
                f"open since {day(row['told_on'])}"
                if is_missing(row["settled_on"])
                else f"settled {day(row['settled_on'])}",
            )
            for row in review.feedback.head(MOST_ROWS).to_dict("records")
        ),
        more=max(0, len(review.feedback) - MOST_ROWS),
        empty="We heard nothing from you in these months: what should we know?",
    )


def _figures(review: Review) -> Iterator[Figure]:
    months = [f"{month:%Y-%m}" for month in review.value["month"]] if len(review.value) else []
    if len(set(months)) > 1:
        rows = pd.DataFrame(
            {
                "month": months,
                "kind": [_words(kind) for kind in review.value["kind"]],
                "amount": review.value["amount"].astype(float).to_numpy(),
            }
        )
        best = pd.Period(str(rows.groupby("month")["amount"].sum().idxmax()))
        every_month = [str(month) for month in pd.period_range(min(months), max(months), freq="M")]
        chart = (
            alt.Chart(rows)
            .mark_bar()
            .encode(
                x=alt.X("month:O", title=None, axis=alt.Axis(labelAngle=-40), scale=alt.Scale(domain=every_month)),
                y=alt.Y("amount:Q", title="value", axis=alt.Axis(format="~s")),
                color=alt.Color("kind:N", title=None, legend=alt.Legend(orient="top")),
            )
            .properties(width=WIDTH, height=HEIGHT)
        )
        yield Figure(
            "value_by_month", f"Value was recorded in {count(len(set(months)), 'month')}, most in {best:%B %Y}.", chart
        )
    weeks = review.weeks.dropna(subset=["active_users_7d"])
    if len(weeks) > 1:
        people = pd.DataFrame(
            {"week": [str(week) for week in weeks["week"]], "people": weeks["active_users_7d"].astype(float).to_numpy()}
        )
        finding = moved("People active a week", people["people"].iloc[0], people["people"].iloc[-1], number)
        chart = (
            alt.Chart(people)
            .mark_line(color="#1f6f5c")
            .encode(
                x=alt.X("week:T", title=None, axis=alt.Axis(format="%b %Y", tickCount=6)),
                y=alt.Y("people:Q", title="people", scale=alt.Scale(zero=True), axis=alt.Axis(tickMinStep=1)),
            )
            .properties(width=WIDTH, height=HEIGHT)
        )
        yield Figure("active_people", f"{finding}.", chart)


def _by_kind(review: Review) -> dict[str, float]:
    if not len(review.value):
        return {}
    sums = review.value.assign(amount=review.value["amount"].astype(float)).groupby("kind")["amount"].sum()
    return {str(kind): float(amount) for kind, amount in sums.sort_values(ascending=False).items()}


def _total(review: Review) -> float:
    return sum(_by_kind(review).values())


def _paid(review: Review) -> float:
    arr = review.account["arr"]
    return 0.0 if is_missing(arr) else float(arr) * (review.end - review.first).days / DAYS_OF_A_YEAR


def _ratio(review: Review) -> float | None:
    paid = _paid(review)
    return _total(review) / paid if paid else None


def _known(column: pd.Series) -> list[float]:
    return [float(value) for value in column if not is_missing(value)]


def _words(kind: object) -> str:
    return str(kind).replace("_", " ").capitalize()


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_WORDS else f"{text[: LONGEST_WORDS - 1].rstrip()}…"
