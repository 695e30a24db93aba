"""Scope of a run: the accounts it is about, and the schemas it reads and writes."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from cs_pipeline.errors import UserError
from cs_pipeline.history.slices import Slice
from cs_pipeline.warehouse.bulk import literal


@dataclass(frozen=True)
class Scope:
    """The accounts whose rows a run replaces; without cohort, segment and slice, all of them."""

    cohort: date | None = None
    """First day of the month in which the accounts signed up."""
    segment: str | None = None
    """Their tier, as of the week."""
    part: Slice | None = None
    """Those of one slice: others work on the rest meanwhile."""

    def of(self, part: Slice) -> Self:
        """Those of its accounts that are in a slice."""
        return replace(self, part=part)

    @classmethod
    def parse(cls, *, cohort: str = "", segment: str = "") -> Self:
        """From words, as `2024-03` and `enterprise`; empty means all. Raises UserError for anything but a month."""
        try:
            month = date.fromisoformat(f"{cohort}-01") if cohort else None
        except ValueError:
            raise UserError(f"cohort is {cohort!r}; expected the month of signup, as 2024-03") from None
        return cls(month, segment or None)

    def condition(self, rows: str, week: str) -> str:
        """SQL that is true for rows of accounts in the scope.

        `rows` is the alias of a table with an account_id; `week` is SQL for the week in which the accounts are
        looked at. Whoever the mart does not have in that week is in no scope but that of everyone.
        """
        in_slice = self.part.condition(f"{rows}.account_id") if self.part else "true"
        if self.cohort is None and self.segment is None:
            return in_slice
        conditions = []
        if self.cohort is not None:
            conditions.append(f"cohort_month = {literal(self.cohort)}")
        if self.segment is not None:
            conditions.append(f"tier = {literal(self.segment)}")
        of_the_mart = f"select account_id, week from marts.fct_account_weeks where {' and '.join(conditions)}"
        return f"{in_slice} and ({rows}.account_id, {week}) in ({of_the_mart})"


@dataclass(frozen=True)
class Schemas:
    """The schemas of the mart and of the scores: those that everybody reads, or scratch copies of them."""

    marts: str
    cs: str

    @property
    def account_weeks(self) -> str:
        """The mart that is scored, in SQL."""
        return f"{self.marts}.fct_account_weeks"

    @property
    def scores(self) -> str:
        """The scores, in SQL."""
        return f"{self.cs}.health_scores"


STORED = Schemas("marts", "cs")
