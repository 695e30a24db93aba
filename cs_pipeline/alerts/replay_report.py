"""Say what a replay came to, rule by rule: how often, on whom, how long, and what its delays save. Pure.

A week is Monday to Monday in UTC, by the moment of firing; weeks without a firing count too. Baselines, which held when
the rule was first asked, are counted apart: live they are told as one count.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from cs_pipeline.alerts.outcomes import Book
from cs_pipeline.alerts.replay import Replay

LOUDEST = 10


@dataclass(frozen=True)
class RuleReport:
    """What a rule did in a replay. Shares are between 0 and 1; None where nothing fired or ended.

    per_week_median, per_week_p95, per_week_worst: alerts that fired in a week. share_per_week: accounts for which it
    fired in a week, of those in the book then, on average; share_ever: of all that were in the book at some time, those
    for which it fired at least once. per_csm_and_week: alerts of a week over the owners of the book, on average.
    busiest_owner: owner with the most, and how many a week that is.
    flaps: alerts that came back within `again_after` of the last telling. median_days: from firing to its end, of those
    that ended. saved_by_for: pending alerts that were gone before they fired. saved_by_resolve_after: times an alert
    was missing and came back in time, so that nobody heard of an end and a new beginning.
    loudest: account_id, account_name, owner_email, fired, of the accounts with the most alerts.
    """

    rule: str
    evaluations: int
    without_data: int
    failed: int
    held: int
    fired: int
    baseline: int
    accounts: int
    per_week_median: float
    per_week_p95: float
    per_week_worst: int
    worst_week: datetime | None
    share_per_week: float
    share_ever: float
    per_csm_and_week: float
    busiest_owner: str | None
    busiest_owner_per_week: float
    flaps: int
    median_days: float | None
    still_open: int
    saved_by_for: int
    saved_by_resolve_after: int
    inhibited: int
    out_of_audience: int
    loudest: pd.DataFrame


def report(replayed: Replay, book: Book) -> list[RuleReport]:
    """A report for each rule of the replay, in their order."""
    weeks = replayed.weeks
    size = book_by_week(book, weeks)
    ever = _in_book_within(book, replayed.first, replayed.last)
    return [_of_rule(rule, replayed, book, weeks, size, ever) for rule in replayed.rules]


def book_by_week(book: Book, weeks: pd.DatetimeIndex) -> np.ndarray:
    """How many accounts were in the book in each week: there on at least one of its days."""
    created = np.sort(book.accounts["created_on"].to_numpy("datetime64[ns]"))
    departs = np.sort(book.accounts["departs_on"].dropna().to_numpy("datetime64[ns]"))
    starts = weeks.to_numpy("datetime64[ns]")
    ends = starts + np.timedelta64(7, "D")
    return np.searchsorted(created, ends, "left") - np.searchsorted(departs, starts, "right")


def _in_book_within(book: Book, first: datetime, last: datetime) -> int:
    accounts = book.accounts
    from_, until = (pd.Timestamp(moment).tz_convert("UTC").tz_localize(None) for moment in (first, last))
    there = (accounts["created_on"] <= until) & ~(accounts["departs_on"] <= from_)
    return int(there.sum())


def _of_rule(
    rule: str, replayed: Replay, book: Book, weeks: pd.DatetimeIndex, size: np.ndarray, ever: int
) -> RuleReport:
    rows = replayed.fired[(replayed.fired["rule"] == rule).to_numpy(bool)]
    fresh = rows[~rows["is_baseline"].to_numpy(bool)]
    evaluations = replayed.evaluations[(replayed.evaluations["rule"] == rule).to_numpy(bool)]
    week = replayed.week_numbers(fresh["fired_at"])
    per_week = np.bincount(week, minlength=len(weeks))
    of_accounts = (fresh["account_id"] != "").to_numpy(bool)
    told = pd.DataFrame({"account": fresh["account_id"].to_numpy(), "week": week})[of_accounts].drop_duplicates()
    accounts = np.bincount(told["week"].to_numpy(int), minlength=len(weeks))
    owner, owners = _busiest(fresh[of_accounts], book)
    health = evaluations["health"]
    ended = (fresh["ended_at"] - fresh["fired_at"]).dropna()
    return RuleReport(
        rule=rule,
        evaluations=len(evaluations),
        without_data=int((health == "no_data").sum()),
        failed=int((health == "error").sum()),
        held=int((health == "held").sum()),
        fired=len(fresh),
        baseline=len(rows) - len(fresh),
        accounts=int(told["account"].nunique()),
        per_week_median=float(np.median(per_week)),
        per_week_p95=float(np.quantile(per_week, 0.95)),
        per_week_worst=int(per_week.max()),
        worst_week=weeks[int(per_week.argmax())].to_pydatetime() if per_week.any() else None,
        share_per_week=float(accounts.sum() / max(size.sum(), 1)),
        share_ever=float(told["account"].nunique() / max(ever, 1)),
        per_csm_and_week=float(of_accounts.sum() / max(owners, 1) / len(weeks)),
        busiest_owner=None if owner is None else owner[0],
        busiest_owner_per_week=0.0 if owner is None else owner[1] / len(weeks),
        flaps=int(fresh["reopened"].sum()),
        median_days=float(ended.dt.total_seconds().median() / 86_400) if len(ended) else None,
        still_open=int(fresh["ended_at"].isna().sum()),
        saved_by_for=replayed.count_changes(rule, "pending", "gone"),
        saved_by_resolve_after=replayed.count_changes(rule, "recovering", "firing"),
        inhibited=int(evaluations["inhibited"].sum()),
        out_of_audience=int(evaluations["out_of_audience"].sum()),
        loudest=_loudest(fresh[of_accounts], book),
    )


def _busiest(fired: pd.DataFrame, book: Book) -> tuple[tuple[str, int] | None, int]:
    """The owner with the most alerts and how many, and how many owners the book has."""
    owner = book.accounts.set_index("account_id")["owner_email"]
    counts = fired["account_id"].map(owner).value_counts()
    return ((str(counts.index[0]), int(counts.iloc[0])) if len(counts) else None), int(owner.nunique())


def _loudest(fired: pd.DataFrame, book: Book) -> pd.DataFrame:
    counts = fired.groupby("account_id", sort=True).size().rename("fired").reset_index()
    most = counts.sort_values(["fired", "account_id"], ascending=[False, True]).head(LOUDEST)
    names = book.accounts[["account_id", "account_name", "owner_email"]]
    return most.merge(names, how="left", on="account_id")[["account_id", "account_name", "owner_email", "fired"]]
