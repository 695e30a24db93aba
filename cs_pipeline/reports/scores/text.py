"""Words and narrow tables about scored weeks: missing ones, late data, reproduced scores. No data access."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from cs_pipeline.history.holes import ranges_of
from cs_pipeline.history.late_data import LateData
from cs_pipeline.history.reproduced_scores import Reproduction
from cs_pipeline.history.weeks import WEEK


def weeks_in_words(weeks: Sequence[date]) -> str:
    """Weeks in order, as ranges: `2025-03-10, 2025-03-24 to 2025-03-31`."""
    return ", ".join(f"{first}" if first == last else f"{first} to {last}" for first, last in ranges_of(weeks))


def by_week_range(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of `LateData`, with first and last in place of week: consecutive weeks with the same figures are one row.

    A row that arrived long after its day concerns every week since, and is shown once.
    """
    figures = [name for name in rows.columns if name != "week"]
    ordered = rows.sort_values(["source", "week"])
    weeks = pd.to_datetime(ordered["week"])
    goes_on = (weeks.diff() == WEEK) & (ordered[figures] == ordered[figures].shift()).all(axis=1)
    runs = ordered.groupby((~goes_on).cumsum().to_numpy())
    folded = runs.first()[figures]
    folded.insert(0, "first", runs["week"].first())
    folded.insert(1, "last", runs["week"].last())
    return folded.sort_values(["first", "source"], ignore_index=True)


def late_data_in_one_table(found: LateData) -> pd.DataFrame:
    """Both tables by first and last week; `news` says whether the rows arrived later, or were changed since."""
    tables = {"arrived": found.arrived, "changed": found.changed}
    folded = [by_week_range(rows).assign(news=news) for news, rows in tables.items() if not rows.empty]
    return pd.concat(folded) if folded else found.arrived


def reproduction_verdict(found: Reproduction) -> str:
    """One sentence on how reproduced scores differ from the stored ones."""
    if found.differences.empty:
        return "the stored scores are the same."
    moved = found.differences[found.differences["stored_band"] != found.differences["known_band"]]
    return f"{len(found.differences):,} differ from the stored ones, {len(moved):,} of them in another band."


def reproduction_differences(found: Reproduction) -> pd.DataFrame:
    """`found.differences` narrow enough for a terminal: week, account, stored, known, arr, because."""
    differences = found.differences
    shown = differences[["week", "account"]].copy()
    for name in ("stored", "known"):
        words = zip(differences[f"{name}_score"], differences[f"{name}_band"], strict=True)
        shown[name] = [f"{score:.1f} {band}" if pd.notna(score) else "no score" for score, band in words]
    return shown.assign(arr=differences["arr"].round(), because=differences["because"])
