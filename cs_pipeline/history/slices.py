"""Cut all accounts into slices that can be worked on at once: each account is in one of them, whatever else changes.

The hashes of account ids are cut into PIECES; a slice is a run of pieces. So what two runs have in common can be said,
and locked, also when they cut differently. Citus places rows by the same hash: a slice is on few of its servers.
"""

from dataclasses import dataclass
from typing import Self

PIECES = 64
_HASHES = 2**32 // PIECES  # of a piece
_LEAST_HASH = -(2**31)


@dataclass(frozen=True)
class Slice:
    """The `number`-th, from 1, of `of` slices."""

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of <= PIECES:
            raise ValueError(f"{self.number} of {self.of} is no slice; there are 1 to {PIECES}")

    @classmethod
    def named(cls, name: str) -> Self:
        """The slice of that `name`."""
        _, number, _, of = name.split("_")
        return cls(int(number), int(of))

    @property
    def name(self) -> str:
        """As `slice_2_of_3`: what Dagster takes for a key."""
        return f"slice_{self.number}_of_{self.of}"

    @property
    def pieces(self) -> range:
        """The pieces that it is made of, from 0."""
        return range(PIECES * (self.number - 1) // self.of, PIECES * self.number // self.of)

    def condition(self, account_id: str) -> str:
        """SQL that is true for its accounts; `account_id` is SQL for the id."""
        first, end = (_LEAST_HASH + _HASHES * piece for piece in (self.pieces.start, self.pieces.stop))
        return f"hashtext({account_id}) between {first} and {end - 1}"


def slices_of(count: int) -> list[Slice]:
    """All slices, where there are `count`."""
    return [Slice(number, count) for number in range(1, count + 1)]
