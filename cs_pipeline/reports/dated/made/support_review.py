"""The support manager's week (S1-20, S1-22): how soon tickets were answered, who waits, how content customers were.

Clocks are those of `marts.fct_ticket_sla`, asked as of the week's end: an answer that came later does not count.
Its tables and charts are in `support_tables`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.plays.messages.environment import in_words
from cs_pipeline.reports.dated.asking import NOT_DATED, Asking, Row
from cs_pipeline.reports.dated.made import support_tables
from cs_pipeline.reports.dated.report import Report
from cs_pipeline.reports.dated.words import account_words, count, moved, number, share
from cs_pipeline.sql_files import read_sql

NAME = "support_review"
TITLE = "Support"
WEEKS = 12
MOST_ROWS = 20
LATE_SHARE = 0.2
"""Share of tickets answered too late, from which on somebody has to decide. Ours."""
BAD_SHARE = 0.4
"""An answer of 2 of 5 or less is a bad one, as it is for the tiers of tickets."""


@dataclass(frozen=True)
class Limits:
    """From where on support is too slow or too bad: as rules `response_time_high` and `csat_low` have it."""

    hours: float
    satisfaction: float


def support_review(asking: Asking) -> Report:
    """The review of a week. Raises UserError while the marts are not built."""
    asking.ask(read_sql(__file__, "clocks"))
    limits = {"weeks": WEEKS, "most": MOST_ROWS, "bad_share": BAD_SHARE}
    late = asking.one(read_sql(__file__, "late"))
    weeks = asking.ask(read_sql(__file__, "weeks"), limits)
    waiting = asking.ask(read_sql(__file__, "waiting"), limits)
    answers = asking.ask(read_sql(__file__, "answers"), limits)
    tiers = asking.ask(read_sql(__file__, "tiers"))
    kinds = asking.ask(read_sql(__file__, "kinds"))
    accounts = asking.ask(read_sql(__file__, "accounts"), limits)
    *_, before, now = weeks.to_dict("records")
    return Report(
        name=NAME,
        title=TITLE,
        period=asking.period,
        headline=_headline(now, late),
        changes=tuple(_changes(now, before, late)),
        decisions=tuple(_decisions(now, late, waiting, tiers, answers, accounts, asking)),
        tables=(
            support_tables.waiting(waiting, asking),
            support_tables.tiers(tiers),
            support_tables.answers(answers, asking),
            support_tables.accounts(accounts, asking),
            support_tables.kinds(kinds),
        ),
        figures=tuple(support_tables.figures(weeks)),
        notes=(
            "A ticket is in time by the target of its tier, by the support hours of alerts.yaml where it has them; the "
            "other hours are clock hours, and one that nobody has answered counts as long as it waited. CSAT is of "
            "tickets resolved in the week: satisfied is 4 or 5 of 5.",
            f"Subjects and kinds of tickets are as they are today. {NOT_DATED}",
        ),
    )


def _limits(asking: Asking) -> Limits:
    """Raises UserError where alerts.yaml is wrong."""
    rules = load_rules(asking.settings.config)
    slow, bad = rules["response_time_high"], rules["csat_low"]
    return Limits(float(str(slow.parameters[""]["hours"])), float(str(bad.parameters[""]["share"])))


def _headline(now: Row, late: Row) -> str:
    waits = int(late["late"])
    told = [count(int(now["opened"]), "ticket") + " opened"]
    if now["due"]:
        told.append(f"{_in_time(now)} answered in time")
    told.append(f"{waits:,} {'waits' if waits == 1 else 'wait'} past the target" if waits else "nobody waits too long")
    if now["answers"]:
        told.append(f"{_satisfied(now)} satisfied")
    return ", ".join(told)


def _changes(now: Row, before: Row, late: Row) -> Iterator[str]:
    yield moved("Tickets opened", before["opened"], now["opened"], number) + "."
    if now["due"]:
        was = _ratio(before["met"], before["due"])
        yield moved("Answered in time", was, _ratio(now["met"], now["due"]), share) + (
            f" ({int(now['met']):,} of {int(now['due']):,} whose time was up or who had an answer)."
        )
    if now["opened"]:
        was = _ratio(before["hours"], before["opened"])
        mean = moved("The mean wait for a first answer", was, _ratio(now["hours"], now["opened"]), _hours)
        yield f"{mean}; half waited {_hours(now['median_hours'])} or less."
    yield (moved("Tickets waiting past their time", late["late_before"], late["late"], number) + ".")
    if now["answers"]:
        was = _ratio(before["satisfied"], before["answers"])
        yield moved("Satisfied customers", was, _ratio(now["satisfied"], now["answers"]), share) + (
            f" ({count(int(now['answers']), 'answer')})."
        )
    else:
        yield "Nobody rated a ticket that was resolved this week."


def _decisions(
    now: Row,
    late: Row,
    waiting: pd.DataFrame,
    tiers: pd.DataFrame,
    answers: pd.DataFrame,
    accounts: pd.DataFrame,
    asking: Asking,
) -> list[str]:
    limits, told = _limits(asking), []
    if waits := int(late["late"]):
        first = waiting.to_dict("records")[0]
        told.append(
            f"Who answers the {count(waits, 'ticket')} past {'its' if waits == 1 else 'their'} time "
            f"({asking.money(late['arr_late'])} ARR)? Begin with {_account(first)}: {support_tables.subject(first)}."
        )
    missed = int(now["due"] - now["met"])
    if missed > LATE_SHARE * now["due"]:
        worst = max(tiers.to_dict("records"), key=lambda row: row["due"] - row["met"])
        told.append(
            f"{missed:,} of {count(int(now['due']), 'ticket')} had no answer in time, "
            f"{worst['due'] - worst['met']:,} of them where {support_tables.answerer(worst)} had "
            f"{number(worst['target_minutes'] / 60)} h: more hands, other hours, or another target?"
        )
    mean = _ratio(now["hours"], now["opened"])
    if mean is not None and mean > limits.hours:
        told.append(
            f"The mean wait for a first answer is {_hours(mean)}, over {_hours(limits.hours)}: who is added, or which "
            "tickets need not be opened?"
        )
    satisfaction = _ratio(now["satisfaction"], now["answers"])
    if satisfaction is not None and satisfaction < limits.satisfaction:
        told.append(
            f"The mean rating is {share(satisfaction)} of the scale, below {share(limits.satisfaction)}: what do the "
            "bad answers have in common?"
        )
    if len(answers):
        of_all = int(answers["of_all"].iloc[0])
        told.append(f"Who calls the {count(of_all, 'customer')} who rated a ticket 2 of 5 or less: {_names(answers)}?")
    if len(accounts) and (most := accounts.to_dict("records")[0])["opened"] >= 3:
        told.append(f"What is behind the {most['opened']:,} tickets of {_account(most)}?")
    return told or ["Nothing this week."]


def _names(rows: pd.DataFrame, most: int = 3) -> str:
    names = list(dict.fromkeys(_account(row) for row in rows.to_dict("records")))
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def _account(row: Row) -> str:
    return account_words(row["account_name"], row["account_id"])


def _in_time(row: Row) -> str:
    return share(_ratio(row["met"], row["due"]))


def _satisfied(row: Row) -> str:
    return share(_ratio(row["satisfied"], row["answers"]))


def _hours(hours: float | None) -> str:
    return f"{in_words(round(float(hours), 1))} h" if hours is not None else "unknown"


def _ratio(part: object, whole: object) -> float | None:
    return float(str(part)) / float(str(whole)) if whole else None
