"""Name the first few of many in a sentence, and count the rest."""

from collections.abc import Iterable
from itertools import islice


def first_few(names: Iterable[object], most: int, between: str = ", ") -> str:
    """'a, b and 3 more': at most `most` names, and how many there are besides; empty where there is none."""
    rest = iter(names)
    shown = [str(name) for name in islice(rest, most)]
    left = sum(1 for _ in rest)
    return between.join(shown) + (f" and {left:,} more" if left else "")
