"""Sort out the firings of a rule by what became of their accounts: which are counted, and which an outcome followed.

What is made of them is in `scorecard`, the days and windows in `windows`. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from cs_pipeline.alerts.outcomes import EVENTS, ON_OCCASION, Book
from cs_pipeline.alerts.rule import Outcome
from cs_pipeline.alerts.windows import Days, Ints, Lift, Stretches, are_followed, lift, stretches_before

NO_OUTCOME = Outcome(event="none")


@dataclass(frozen=True)
class Watched:
    """What was watched: a rule in one version, from one day to another, and the outcome it is held against."""

    rule: str
    version: str
    first: date
    last: date
    outcome: Outcome | None


@dataclass(frozen=True)
class Judged:
    """The firings of a rule, sorted out."""

    watched: Watched
    outcome: Outcome
    rows: pd.DataFrame
    firings: Days
    counted: Days
    followed: np.ndarray
    lift: Lift

    @classmethod
    def of(cls, watched: Watched, rows: pd.DataFrame, book: Book, codes: pd.Index) -> "Judged":
        """Those in `rows`, as columns of `scorecards`; `codes` are the accounts of the book."""
        outcome = watched.outcome or NO_OUTCOME
        fresh = rows[~rows["is_baseline"].to_numpy(bool)]
        account = codes.get_indexer(pd.Index(fresh["account_id"])).astype(np.int64)
        day = day_numbers(fresh["fired_at"])
        firings = Days.of(account[account >= 0], day[account >= 0])
        lead, within = outcome.lead_days, outcome.within_days
        decided_until = day_numbers(book.accounts["decided_until"])
        is_over = firings.day + within <= decided_until[firings.account] if len(codes) else np.zeros(0, bool)
        counted = Days(firings.account[is_over], firings.day[is_over])
        happened, occasions = of_event(book, EVENTS[outcome.event], codes)
        followed = are_followed(counted, happened, lead, within)
        return cls(
            watched=watched,
            outcome=outcome,
            rows=rows,
            firings=firings,
            counted=counted,
            followed=followed,
            lift=lift(counted, followed, *_book_in_windows(book, outcome, happened, occasions, decided_until)),
        )

    @property
    def is_held_against_something(self) -> bool:
        """False where no outcome is set, and for a rule that speaks of no account."""
        if self.outcome.event == "none":
            return False
        return self.rows.empty or bool((self.rows["account_id"] != "").any())


def _book_in_windows(
    book: Book, outcome: Outcome, happened: Days, occasions: Days, decided_until: Ints
) -> tuple[Stretches, Stretches]:
    """The days on which each account was in the book with its window over, and those followed by the outcome."""
    lead, within = outcome.lead_days, outcome.within_days
    accounts = book.accounts
    last = decided_until - within
    departs = accounts["departs_on"].notna().to_numpy()
    last = np.where(departs, np.minimum(day_numbers(accounts["departs_on"]) - 1, last), last)
    there = Stretches(np.arange(len(accounts)), day_numbers(accounts["created_on"]), last).kept()
    followed = stretches_before(happened, lead, within).within(there)
    if outcome.event in ON_OCCASION:
        return stretches_before(occasions, lead, within).within(there), followed
    return there, followed


def of_event(book: Book, events: Sequence[str], codes: pd.Index) -> tuple[Days, Days]:
    """What happened of these kinds, and all occasions for it."""
    rows = book.happenings[book.happenings["event"].isin(list(events)).to_numpy(bool)]
    account = codes.get_indexer(pd.Index(rows["account_id"])).astype(np.int64)
    day, happened = day_numbers(rows["happens_on"]), rows["happened"].to_numpy(bool)
    return Days.of(account[happened], day[happened]), Days.of(account, day)


def day_numbers(moments: pd.Series) -> Ints:
    """UTC days since 1970; missing ones are far below."""
    plain = moments.dt.tz_convert("UTC").dt.tz_localize(None) if moments.dt.tz is not None else moments
    return plain.to_numpy().astype("datetime64[D]").astype(np.int64)
