"""Replays of alert rules, and two of them side by side, in words and tables. No arithmetic beyond formatting."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cs_pipeline.alerts.diff import RuleDiff
from cs_pipeline.alerts.replay import Replay
from cs_pipeline.alerts.replay_report import RuleReport
from cs_pipeline.alerts.scorecard import Scorecard
from cs_pipeline.reports.alerts import scorecard as scorecard_words

ALIKE = 0.05
"""Jaccard index from which an overlap is shown."""
NOTHING = "–"


@dataclass(frozen=True)
class RuleFound:
    """What programs read of a rule in a replay."""

    report: RuleReport
    scorecard: Scorecard
    overlap: pd.DataFrame


def headline(replayed: Replay, reports: Sequence[RuleReport]) -> str:
    """What was replayed, how much it came to, and that it was a replay."""
    fired, held = sum(each.fired for each in reports), sum(each.baseline for each in reports)
    weeks = len(replayed.weeks)
    held_words = f" {held:,} more held when the rules were first asked, and would be told as a count." if held else ""
    return (
        f"A replay; nothing was written, nobody was told. From {replayed.first:%Y-%m-%d %H:%M} to "
        f"{replayed.last:%Y-%m-%d %H:%M} UTC, {len(reports)} rule{'' if len(reports) == 1 else 's'} would have fired "
        f"{fired:,} times ({fired / weeks:,.1f} a week).{held_words}"
    )


def table(reports: Sequence[RuleReport]) -> pd.DataFrame:
    """A row a rule: how often, on how many, how long, and what its delays save."""
    columns = (
        "rule", "fired", "a week", "p95", "worst", "of the book a week", "of the book ever", "per CSM and week",
        "flaps", "open for", "saved by for", "saved by resolve_after", "no data",
    )  # fmt: skip
    return pd.DataFrame([_row(each) for each in reports], columns=list(columns))


def overlaps(found: pd.DataFrame) -> pd.DataFrame:
    """Pairs of rules that often speak of the same account in the same week, once each; most alike first."""
    pairs = found[(found["rule"] < found["other"]) & (found["jaccard"] >= ALIKE)]
    pairs = pairs.sort_values(["jaccard", "rule", "other"], ascending=[False, True, True])
    return pd.DataFrame(
        {
            "rule": pairs["rule"],
            "other": pairs["other"],
            "alike": [f"{value:.0%}" for value in pairs["jaccard"]],
            "account-weeks": [f"{value:,}" for value in pairs["account_weeks"]],
            "of the other": [f"{value:,}" for value in pairs["other_account_weeks"]],
            "of both": [f"{value:,}" for value in pairs["both"]],
        }
    ).reset_index(drop=True)


def loudest(reports: Sequence[RuleReport]) -> pd.DataFrame:
    """The accounts for which each rule fired most."""
    rows = [each.loudest.assign(rule=each.rule) for each in reports if len(each.loudest)]
    columns = ["rule", "account_id", "account_name", "owner_email", "fired"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)


def notes(reports: Sequence[RuleReport]) -> list[str]:
    """What limits the replay: moments without data, errors, and too much at once."""
    said = []
    for each in reports:
        if each.without_data:
            said.append(
                f"{each.rule}: at {each.without_data:,} of {each.evaluations:,} moments its sources were too old; "
                "nothing fired or ended then."
            )
        if each.failed:
            said.append(f"{each.rule}: could not be evaluated at {each.failed:,} of {each.evaluations:,} moments.")
        if each.held:
            said.append(
                f"{each.rule}: at {each.held:,} moments it fired for more accounts at once than its limits allow; live "
                "a person decides then."
            )
    return said


def as_objects(reports: Sequence[RuleReport], cards: Sequence[Scorecard], overlapping: pd.DataFrame) -> list[RuleFound]:
    """What programs read, an object a rule: report, scorecard and overlap with each other rule."""
    return [
        RuleFound(each, card, overlapping[(overlapping["rule"] == each.rule).to_numpy(bool)].drop(columns="rule"))
        for each, card in zip(reports, cards, strict=True)
    ]


def side_by_side(found: RuleDiff) -> pd.DataFrame:
    """A row a figure of one rule: before and after."""
    before, after = _row(found.before), _row(found.after)
    cards = scorecard_words.table([found.scorecard_before, found.scorecard_after])
    rows = [(name, before[name], after[name]) for name in before if name != "rule"]
    rows += [(name, *cards[name]) for name in ("verdict", "precision", "lift", "recall", "lead")]
    return pd.DataFrame(rows, columns=["", "before", "after"])


def diff_headline(found: RuleDiff) -> str:
    """How many accounts only one of the two fires for."""
    return (
        f"{found.rule}: {found.in_both:,} accounts with both; {len(found.only_before):,} only before, "
        f"{len(found.only_after):,} only after."
    )


def _row(each: RuleReport) -> dict[str, object]:
    return {
        "rule": each.rule,
        "fired": f"{each.fired:,}",
        "a week": f"{each.per_week_median:g}",
        "p95": f"{each.per_week_p95:.0f}",
        "worst": f"{each.per_week_worst:,}" + (f" ({each.worst_week:%Y-%m-%d})" if each.worst_week else ""),
        "of the book a week": f"{each.share_per_week:.1%}",
        "of the book ever": f"{each.share_ever:.0%}",
        "per CSM and week": f"{each.per_csm_and_week:.1f}",
        "flaps": f"{each.flaps:,}",
        "open for": NOTHING if each.median_days is None else f"{each.median_days:.0f} days",
        "saved by for": f"{each.saved_by_for:,}",
        "saved by resolve_after": f"{each.saved_by_resolve_after:,}",
        "no data": f"{each.without_data:,}",
    }
