"""Scorecards: hold what alert rules fired against what became of the accounts. Pure, but for reading and keeping them.

The same figures are made of live history (`live_scorecards`) and of a replay (`scorecards` of its alerts).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from cs_pipeline.alerts.judged_firings import Judged, Watched, of_event
from cs_pipeline.alerts.outcomes import EVENTS, Book
from cs_pipeline.alerts.rule import OutcomeEvent
from cs_pipeline.alerts.windows import (
    Days,
    Ints,
    days_from_first_firing,
)
from cs_pipeline.backtest.measures import Interval, wilson

Verdict = Literal[
    "keep", "louder than useful", "never preceded an outcome", "too few to tell", "not held against an outcome"
]
FEWEST, FEWEST_ACCOUNTS = 20, 10
"""Firings whose window is over, and accounts they are of, below which nothing is said."""


@dataclass(frozen=True)
class Scorecard:
    """What one rule, in one version, was worth. Shares are between 0 and 1; None where there is nothing to say of.

    A firing counts when it was no baseline and its window (fired + lead_days, fired + within_days] is over: in it, it
    is decided whether the account departed. Those whose window is not over are `censored`.

    precision: share of the firings counted that were followed by an outcome, with Wilson's interval (Wilson 1927),
    which takes firings for independent. base_rate: share of the book with an outcome in the same windows on the days
    of the firings; for onboarding and renewals, of the accounts that had the occasion. lift: precision over base_rate,
    with an interval over accounts (see `windows.lift`), on which the verdict rests.
    outcomes: happenings whose whole window was watched; recall: share of them that stood in the window of a firing;
    recall_alone: share that stood in no window of another rule that is held against the same kind of happening.
    lead_days: median over the recalled of the days from the first firing in whose window they stand.
    reset_days: median days from firing to the end of its condition. hours_to_acknowledge: median, of those
    acknowledged. put_off: share snoozed, or silenced when it fired. touched: share followed by a touchpoint within 7
    days. The last three are None in a replay, where nobody was told.
    """

    rule: str
    version: str
    first: date
    last: date
    event: OutcomeEvent
    lead_days: int
    within_days: int
    fired: int
    baseline: int
    censored: int
    counted: int
    followed: int
    precision: Interval | None
    base_rate: float | None
    lift: Interval | None
    outcomes: int
    recall: Interval | None
    recall_alone: float | None
    median_lead_days: float | None
    reset_days: float | None
    hours_to_acknowledge: float | None
    put_off: float | None
    touched: float | None
    verdict: Verdict


def scorecards(fired: pd.DataFrame, watched: Sequence[Watched], book: Book) -> list[Scorecard]:
    """A scorecard for each of `watched`, in their order.

    `fired` has a row for each alert that fired: rule, account_id ('' for none), fired_at, ended_at, cause, is_baseline,
    and hours_to_acknowledge, is_put_off, is_touched (all missing in a replay).
    """
    codes = pd.Index(book.accounts["account_id"])
    judged = [Judged.of(each, fired[(fired["rule"] == each.rule).to_numpy()], book, codes) for each in watched]
    kinds = {name for names in EVENTS.values() for name in names}
    recalled = {name: _recalled(name, of_event(book, [name], codes)[0], judged) for name in sorted(kinds)}
    return [_scorecard(each, recalled) for each in judged]


def _recalled(event: str, happened: Days, judged: Sequence[Judged]) -> dict[str, tuple[Ints, np.ndarray, np.ndarray]]:
    """By rule: days from the first firing (-1: none), whether it is the only one, whether the window was watched."""
    held = [each for each in judged if event in EVENTS[each.outcome.event] and each.is_held_against_something]
    days = {
        each.watched.rule: days_from_first_firing(
            each.firings, happened, each.outcome.lead_days, each.outcome.within_days
        )
        for each in held
    }
    rules = np.sum([found >= 0 for found in days.values()], axis=0) if days else np.zeros(len(happened.day))
    return {
        each.watched.rule: (
            days[each.watched.rule],
            (days[each.watched.rule] >= 0) & (rules == 1),
            (happened.day - each.outcome.within_days >= _day_number(each.watched.first))
            & (happened.day - each.outcome.lead_days - 1 <= _day_number(each.watched.last)),
        )
        for each in held
    }


def _scorecard(judged: Judged, recalled: Mapping[str, dict[str, tuple[Ints, np.ndarray, np.ndarray]]]) -> Scorecard:
    watched, outcome, rows = judged.watched, judged.outcome, judged.rows
    is_held_against = judged.is_held_against_something
    count, followed = len(judged.counted.day), int(judged.followed.sum())
    parts = [rules[watched.rule] for rules in recalled.values() if watched.rule in rules]
    days, alone, in_sight = (
        np.concatenate([part[nth] for part in parts]) if parts else np.zeros(0, int) for nth in range(3)
    )
    in_sight = in_sight.astype(bool)
    days, alone = days[in_sight], alone[in_sight]
    outcomes, found = len(days), int((days >= 0).sum())
    fresh = rows[~rows["is_baseline"].to_numpy(bool)]
    is_over = (fresh["cause"] == "condition").to_numpy(bool)
    open_for = (fresh["ended_at"] - fresh["fired_at"])[is_over].dt.total_seconds() / 86_400
    return Scorecard(
        rule=watched.rule,
        version=watched.version,
        first=watched.first,
        last=watched.last,
        event=outcome.event,
        lead_days=outcome.lead_days,
        within_days=outcome.within_days,
        fired=len(fresh),
        baseline=len(rows) - len(fresh),
        censored=len(fresh) - count if is_held_against else 0,
        counted=count if is_held_against else 0,
        followed=followed,
        precision=Interval(followed / count, *wilson(followed, count)) if is_held_against and count else None,
        base_rate=judged.lift.base_rate if is_held_against and count else None,
        lift=judged.lift.ratio if is_held_against else None,
        outcomes=outcomes,
        recall=Interval(found / outcomes, *wilson(found, outcomes)) if outcomes else None,
        recall_alone=float(alone.mean()) if outcomes else None,
        median_lead_days=float(np.median(days[days >= 0])) if found else None,
        reset_days=_median(open_for),
        hours_to_acknowledge=_median(fresh["hours_to_acknowledge"]),
        put_off=_share(fresh["is_put_off"]),
        touched=_share(fresh["is_touched"]),
        verdict=_verdict(is_held_against, judged),
    )


def _verdict(is_held_against: bool, judged: Judged) -> Verdict:
    if not is_held_against:
        return "not held against an outcome"
    if len(judged.counted.day) < FEWEST or len(np.unique(judged.counted.account)) < FEWEST_ACCOUNTS:
        return "too few to tell"
    if not judged.followed.any():
        return "never preceded an outcome"
    if judged.lift.ratio is None or judged.lift.ratio.low <= 1:
        return "louder than useful"
    return "keep"


def _day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _median(values: pd.Series) -> float | None:
    known = pd.to_numeric(values).dropna()
    return float(known.median()) if len(known) else None


def _share(flags: pd.Series) -> float | None:
    known = flags.dropna()
    return float(known.astype(bool).mean()) if len(known) else None
