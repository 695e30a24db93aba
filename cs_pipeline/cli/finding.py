"""One line of what `doctor` finds."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One line of the report. `wrong` makes the command fail."""

    subject: str
    state: State
    words: str
