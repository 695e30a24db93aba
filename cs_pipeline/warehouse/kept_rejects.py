"""Decide which rejects of a load are kept: the first as they are; of the rest their number, by column and reason.

What is wrong with a file shows in its first rows. A file of nothing but bad rows must not fill the database with them.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from cs_pipeline.warehouse.batches import SHOWN_CHARACTERS, BrokenRow

MOST_KEPT = 10_000
MOST_VALUES = 200  # of a row that has no place in its table
MOST_REASONS = 100
OTHER_REASONS = "is broken in other ways"


class KeptRejects:
    """Decides about each broken row of a file in turn, and counts those that are not kept."""

    def __init__(self) -> None:
        self._kept = 0
        self._rest: Counter[tuple[str | None, str]] = Counter()

    def keeps(self, broken: BrokenRow) -> bool:
        """Whether the row is kept; else it is counted."""
        if self._kept < MOST_KEPT:
            self._kept += 1
            return True
        cause = (broken.column, broken.reason)
        self._rest[cause if cause in self._rest or len(self._rest) < MOST_REASONS else (None, OTHER_REASONS)] += 1
        return False

    def rest(self) -> Iterator[tuple[str | None, str, int]]:
        """Column, reason and number of the rows that were not kept."""
        yield from ((column, reason, rows) for (column, reason), rows in self._rest.items())


def shortened(row: dict[str, Any]) -> dict[str, Any]:
    """A broken row, cut to what a person looks at: the row itself may be as large as a file."""
    return {name: _short(value) for name, value in list(row.items())[:MOST_VALUES]}


def _short(value: object) -> object:
    if isinstance(value, list):
        return [_short(each) for each in value[:MOST_VALUES]]
    if isinstance(value, str) and len(value) > SHOWN_CHARACTERS:
        return value[:SHOWN_CHARACTERS] + "…"
    return value
