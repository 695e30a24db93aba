"""Put two replays side by side, as of two sets of parameters: the numbers, and the accounts that only one fires for."""

from dataclasses import dataclass

import pandas as pd

from cs_pipeline.alerts.outcomes import Book
from cs_pipeline.alerts.replay import Replay
from cs_pipeline.alerts.replay_report import RuleReport, report
from cs_pipeline.alerts.scorecard import Scorecard, scorecards


@dataclass(frozen=True)
class RuleDiff:
    """A rule before and after. only_before, only_after: account_id, account_name, owner_email, fired; most first."""

    rule: str
    before: RuleReport
    after: RuleReport
    scorecard_before: Scorecard
    scorecard_after: Scorecard
    in_both: int
    only_before: pd.DataFrame
    only_after: pd.DataFrame


def diff(before: Replay, after: Replay, book: Book) -> list[RuleDiff]:
    """The rules of both replays side by side, in the order of `before`.

    Baselines count as firing for their accounts: which accounts a rule is about does not hang on when it began.
    """
    reports = zip(report(before, book), report(after, book), strict=True)
    cards = zip(
        scorecards(before.fired, before.watched(), book), scorecards(after.fired, after.watched(), book), strict=True
    )
    return [
        _of_rule(rule, before, after, book, one, other)
        for rule, one, other in zip(before.rules, reports, cards, strict=True)
    ]


def _of_rule(
    rule: str,
    before: Replay,
    after: Replay,
    book: Book,
    reports: tuple[RuleReport, RuleReport],
    cards: tuple[Scorecard, Scorecard],
) -> RuleDiff:
    one, other = _fired_by_account(before, rule), _fired_by_account(after, rule)
    in_both = one.index.intersection(other.index)
    return RuleDiff(
        rule=rule,
        before=reports[0],
        after=reports[1],
        scorecard_before=cards[0],
        scorecard_after=cards[1],
        in_both=len(in_both),
        only_before=_named(one.drop(in_both), book),
        only_after=_named(other.drop(in_both), book),
    )


def _fired_by_account(replayed: Replay, rule: str) -> pd.Series:
    rows = replayed.fired
    return rows[((rows["rule"] == rule) & (rows["account_id"] != "")).to_numpy(bool)].groupby("account_id").size()


def _named(fired: pd.Series, book: Book) -> pd.DataFrame:
    names = book.accounts[["account_id", "account_name", "owner_email"]]
    rows = fired.rename("fired").rename_axis("account_id").reset_index().merge(names, how="left", on="account_id")
    rows = rows.sort_values(["fired", "account_id"], ascending=[False, True], ignore_index=True)
    return rows[["account_id", "account_name", "owner_email", "fired"]]
