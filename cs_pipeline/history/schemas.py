"""Where scoring reads and writes: the tables that everybody reads, or scratch copies of them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """The schemas of the mart and of the scores."""

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


STORED = Place("marts", "cs")
