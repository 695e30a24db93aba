"""Define a form: something people can do, by the function that the command line calls, under their name.

Each is a POST that ends in a redirection to where it came from, with a sentence on what was done or why not. A form
carries the token of its reader's browser (`csrf`), without which nothing is done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from cs_pipeline.errors import UserError
from cs_pipeline.site.page import PageRequest

LONGEST = 2_000  # letters of a field
MOST_IDS = 500


@dataclass(frozen=True)
class Form:
    """`path` starts with /do/. `submit` acts and says in a sentence what was done; its UserError says why not."""

    path: str
    submit: Callable[[PageRequest, "Fields"], str]


@dataclass(frozen=True)
class Fields:
    """What a form was filled in with. Each method raises UserError for what it cannot be."""

    data: FormData
    zone: ZoneInfo

    def text(self, name: str) -> str:
        """A field's text, without spaces around it; empty where it is missing."""
        value = self.data.get(name)
        text = value.strip() if isinstance(value, str) else ""
        if len(text) > LONGEST:
            raise UserError(f"The field '{name}' has {len(text):,} letters; at most {LONGEST:,} fit")
        if "\0" in text:
            raise UserError(f"The field '{name}' holds a sign that is no text")
        return text

    def ids(self, name: str = "id") -> list[int]:
        """The numbers that were chosen."""
        given = [value for value in self.data.getlist(name) if isinstance(value, str)]
        if not given:
            raise UserError("Nothing is chosen")
        if len(given) > MOST_IDS:
            raise UserError(f"{len(given):,} are chosen; at most {MOST_IDS} go at once")
        if not all(value.isascii() and value.isdigit() and len(value) < 19 for value in given):
            raise UserError(f"'{name}' takes numbers")
        return [int(value) for value in given]

    def day(self, name: str) -> date:
        """A day, as browsers send it."""
        text = self.text(name)
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise UserError(f"'{text}' is no day; expected one such as 2026-06-29") from None

    def end_of_day(self, name: str) -> datetime:
        """The end of a day in the team's time zone, in UTC."""
        day = self.day(name)
        try:
            return datetime.combine(day + timedelta(days=1), time(), self.zone).astimezone(UTC)
        except OverflowError:
            raise UserError(f"{day} lies too far away") from None

    def number(self, name: str) -> float | None:
        """A number; None where the field is empty."""
        text = self.text(name)
        try:
            value = float(text) if text else None
        except ValueError:
            raise UserError(f"'{text}' is no number") from None
        if value is not None and value - value != 0:
            raise UserError(f"'{text}' is no number")
        return value


def local_path(path: str) -> str:
    """`path` where it is one of this site; else the first page. Nobody is led elsewhere by a form."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_local else "/"
