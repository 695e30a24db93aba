"""One line of what `doctor` finds."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from cs_pipeline.errors import UserError

State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One line of the report. `wrong` makes the command fail."""

    subject: str
    state: State
    words: str


def guarded(subject: str, findings: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """The findings about a subject; what keeps them from being found is one itself, and the next subject is asked."""
    try:
        yield from findings()
    except UserError as error:
        yield Finding(subject, "wrong", str(error))
