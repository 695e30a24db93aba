"""Say what each part of a business review shows: findings, a chart, a table. Pure.

Six parts (S3-38): Goals, Usage, Value, Feedback, Roadmap, Actions of both sides. An executive review (S4-55) has two
more: Strategy and Expansion. What nobody measured is said to be so; nothing is made up to fill a slide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import pandas as pd

from cs_pipeline.reports.business_review.facts import Review
from cs_pipeline.reports.dated.words import Money, count, day, number, sentence, share

MOST_ROWS = 8
LONGEST_WORDS = 70
DUE_IN_DAYS = 30
"""Actions are agreed in the meeting; until then this is proposed."""


@dataclass(frozen=True)
class PartChart:
    """A native chart: a value for each category, None where there is none, by the name of the series.

    `number_format` is PowerPoint's, of the axis.
    """

    kind: Literal["line", "column", "stacked", "bar"]
    title: str
    categories: tuple[str, ...]
    series: dict[str, tuple[float | None, ...]]
    number_format: str = "#,##0"


@dataclass(frozen=True)
class PartTable:
    """A native table, its first row the heading."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Part:
    """One slide. `findings` come first, in a few sentences."""

    title: str
    findings: tuple[str, ...]
    chart: PartChart | None = None
    table: PartTable | None = None


def parts(review: Review, money: Money, *, is_executive: bool) -> list[Part]:
    """The parts in their order."""
    found = [_goals(review), _usage(review), _value(review, money), _feedback(review), _roadmap(review)]
    if is_executive:
        found += [_strategy(review, money), _expansion(review)]
    return [*found, _actions(review, money)]


def _goals(review: Review) -> Part:
    account = review.account
    goal = _known(account["sales_goal"])
    done, total = account["onboarding_steps_completed"], account["onboarding_steps_total"]
    findings = [
        f"Your goal when we began: {goal}." if goal else "No goal is recorded yet: let us agree on one today.",
    ]
    if not _is_missing(total) and total:
        findings.append(f"{number(done)} of {number(total)} steps of the set-up are done.")
    rows = [
        ("Agreed", "Today"),
        ("Plan", _known(account["plan"]) or ""),
        ("Seats", number(account["seats"])),
        ("People active in 30 days", number(account["active_users_30d"])),
        ("Renewal", day(account["renewal_date"], "")),
    ]
    chart = None
    if not _is_missing(total) and total:
        chart = PartChart(
            "bar", "Set-up", ("Steps",), {"Done": (float(done or 0),), "To do": (float(total - (done or 0)),)}
        )
    return Part("Goals", tuple(findings), chart, _table([row for row in rows if row[1]]))


def _usage(review: Review) -> Part:
    weeks, features = review.weeks, review.features
    used = features[features["uses"].astype(float) > 0]
    unused = features[(features["uses"].astype(float) == 0) & features["is_core"].astype(bool)]
    findings = []
    if known := [float(value) for value in weeks["active_users_7d"] if not _is_missing(value)]:
        way = "up from" if known[-1] > known[0] else "down from" if known[-1] < known[0] else "as at the beginning,"
        findings.append(
            f"{count(round(known[-1]), 'person', 'people')} active in the last week, {way} {number(known[0])}."
        )
    grown = used[used["uses"].astype(float) > used["uses_before"].astype(float)]
    if len(grown):
        findings.append(f"Working: {_names(grown['feature'])} used more than in the period before.")
    if len(unused):
        findings.append(f"Not used yet: {_names(unused['feature'])}.")
    chart = None
    if len(weeks) > 1:
        chart = PartChart(
            "line",
            "People active each week",
            tuple(f"{week:%d %b}" for week in weeks["week"]),
            {"Active people": _numbers(weeks["active_users_7d"]), "Seats": _numbers(weeks["seats"])},
        )
    rows = [("Feature", "Uses", "Before")]
    rows += [
        (str(row["feature"]), number(row["uses"]), number(row["uses_before"]))
        for row in used.head(MOST_ROWS).to_dict("records")
    ]
    return Part("Usage", tuple(findings) or ("Nobody used the product in this period.",), chart, _table(rows))


def _value(review: Review, money: Money) -> Part:
    value, account = review.value, review.account
    total = float(value["amount"].astype(float).sum()) if len(value) else 0.0
    findings = []
    if total:
        findings.append(f"{sentence(money(total))} of value is recorded for this period.")
    if not _is_missing(account["value_delivered_365d"]) and account["value_delivered_365d"]:
        findings.append(f"In the last 365 days: {money(account['value_delivered_365d'])}.")
    if not _is_missing(account["value_ratio"]) and account["value_ratio"]:
        findings.append(f"That is {number(account['value_ratio'])} times what you pay a year.")
    kinds = list(dict.fromkeys(value["kind"])) if len(value) else []
    months = list(dict.fromkeys(value["month"])) if len(value) else []
    by_kind = {_kind_words(kind): tuple(_amount(value, month, kind) for month in months) for kind in kinds}
    chart = (
        PartChart("stacked", "Value by month", tuple(f"{month:%b %Y}" for month in months), by_kind) if months else None
    )
    rows = [("Value", "Amount")]
    rows += [
        (_kind_words(kind), money(float(value.loc[value["kind"] == kind, "amount"].astype(float).sum())))
        for kind in kinds
    ]
    if kinds:
        rows.append(("Together", money(total)))
    missing = "No value is recorded for this period: which result would prove it to you?"
    return Part("Value delivered", tuple(findings) or (missing,), chart, _table(rows))


def _feedback(review: Review) -> Part:
    feedback, tickets, account = review.feedback, review.tickets, review.account
    findings = []
    if len(feedback):
        settled = int(feedback["settled_on"].notna().sum())
        findings.append(
            f"You told us {count(len(feedback), 'thing')}; {settled:,} {'is' if settled == 1 else 'are'} settled."
        )
    if len(tickets):
        opened = count(int(tickets["opened"].sum()), "ticket")
        answered = _answered(review.hours_to_answer)
        findings.append(f"{opened} opened, {len(review.open_tickets):,} open today{answered}.")
    if not _is_missing(account["nps_response"]):
        findings.append(f"You would recommend us with {number(account['nps_response'])} of 10.")
    chart = None
    if len(tickets):
        chart = PartChart(
            "column",
            "Tickets by month",
            tuple(f"{month:%b %Y}" for month in tickets["month"]),
            {"Opened": _numbers(tickets["opened"]), "Resolved": _numbers(tickets["resolved"])},
        )
    rows = [("You said", "Kind", "Status")]
    rows += [
        (
            _cut(_known(row["body"]) or _kind_words(row["kind"])),
            _kind_words(row["kind"]),
            f"settled {row['settled_on']}" if not _is_missing(row["settled_on"]) else f"open since {row['told_on']}",
        )
        for row in feedback.head(MOST_ROWS).to_dict("records")
    ]
    return Part(
        "Feedback",
        tuple(findings) or ("We heard nothing from you in this period: what should we know?",),
        chart,
        _table(rows),
    )


def _answered(hours: float | None) -> str:
    return "" if _is_missing(hours) else f"; half of them were answered within {number(hours)} hours"


def _roadmap(review: Review) -> Part:
    launches = review.launches
    rows = [("Feature", "When")]
    rows += [
        (
            str(row["feature"]),
            f"since {day(row['launched_on'])}" if row["launched_on"] < review.end else day(row["launched_on"]),
        )
        for row in launches.head(MOST_ROWS).to_dict("records")
    ]
    new = launches[[each < review.end for each in launches["launched_on"]]] if len(launches) else launches
    coming = len(launches) - len(new)
    findings = []
    if len(new):
        findings.append(f"New for you in this period: {_names(new['feature'])}.")
    if coming:
        findings.append(f"{count(coming, 'launch', 'launches')} to come for your plan.")
    return Part(
        "Roadmap",
        tuple(findings) or ("No launch for your plan in this period. Add what you may tell of what is to come.",),
        None,
        _table(rows),
    )


def _strategy(review: Review, money: Money) -> Part:
    account = review.account
    findings = ["What should be true a year from now, and how would we both see it?"]
    if not _is_missing(account["renewal_date"]):
        findings.append(f"The contract renews on {day(account['renewal_date'])}.")
    rows = (
        ("Today", "Figure"),
        ("Paid a year", money(account["arr"])),
        ("Features in use", share(account["feature_adoption_ratio"], "")),
        ("People active in 30 days", number(account["active_users_30d"])),
    )
    return Part("Strategy", tuple(findings), None, _table([row for row in rows if row[1]]))


def _expansion(review: Review) -> Part:
    account, features = review.account, review.features
    findings = []
    seats, active = account["seats"], account["active_users_30d"]
    if not _is_missing(seats) and seats and not _is_missing(active):
        findings.append(f"{number(active)} of {number(seats)} seats are in use ({share(active / seats)}).")
    unused = features[features["uses"].astype(float) == 0]
    if len(unused):
        findings.append(f"Included and not used yet: {_names(unused['feature'])}.")
    chart = None
    if len(review.weeks) > 1:
        chart = PartChart(
            "line",
            "Share of features in use",
            tuple(f"{week:%d %b}" for week in review.weeks["week"]),
            {"Share": _numbers(review.weeks["feature_adoption_ratio"])},
            "0%",
        )
    return Part("Expansion opportunities", tuple(findings) or ("Which teams could gain next?",), chart)


def _actions(review: Review, money: Money) -> Part:
    until = review.end + timedelta(days=DUE_IN_DAYS)
    rows = [("What", "Who", "By")]
    rows += [(what, who, f"{until}") for what, who in _proposed(review, money)][: MOST_ROWS - 2]
    rows += [("", "Us", ""), ("", "You", "")]
    return Part(
        "Actions, both sides",
        ("Proposed from what is open; let us agree on who does what by when.",),
        None,
        PartTable(tuple(rows)),
    )


def _proposed(review: Review, money: Money) -> Iterator[tuple[str, str]]:
    account = review.account
    for row in review.open_tickets.head(2).to_dict("records"):
        yield _cut(f"Resolve: {_known(row['subject']) or 'an open ticket'}"), "Us"
    open_feedback = review.feedback[review.feedback["settled_on"].isna()] if len(review.feedback) else review.feedback
    for row in open_feedback.head(2).to_dict("records"):
        yield _cut(f"Answer: {_known(row['body']) or _kind_words(row['kind'])}"), "Us"
    unused = [row["feature"] for row in review.features.to_dict("records") if row["is_core"] and not row["uses"]]
    if unused:
        yield f"Show {unused[0]} to your team", "Us"
        yield f"Name who tries {unused[0]} first", "You"
    if step := _known(account["next_onboarding_step"]):
        yield f"Finish the step {step.replace('_', ' ')}", "You"
    if not _is_missing(account["overdue_amount"]) and account["overdue_amount"]:
        yield f"Settle what is overdue: {money(account['overdue_amount'])}", "You"


def _table(rows: Sequence[tuple[str, ...]]) -> PartTable | None:
    return PartTable(tuple(rows)) if len(rows) > 1 else None


def _amount(value: pd.DataFrame, month: date, kind: str) -> float | None:
    found = value.loc[(value["month"] == month) & (value["kind"] == kind), "amount"]
    return float(found.iloc[0]) if len(found) else None


def _numbers(column: pd.Series) -> tuple[float | None, ...]:
    return tuple(None if _is_missing(value) else float(value) for value in column)


def _names(column: pd.Series, most: int = 3) -> str:
    names = [str(each) for each in column.head(most)]
    more = len(column) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")


def _kind_words(kind: object) -> str:
    return sentence(str(kind).replace("_", " "))


def _known(text: object) -> str:
    return " ".join(str(text).split()) if isinstance(text, str) else ""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_WORDS else text[: LONGEST_WORDS - 1].rstrip() + "…"


def _is_missing(value: object) -> bool:
    return value is None or value != value or value is pd.NaT
