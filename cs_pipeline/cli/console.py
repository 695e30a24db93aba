"""Print for people: messages on stdout, errors and progress on stderr, tables in one style.

Nothing that is printed is read as markup, except the templates that `marked` is given; control characters in data are
written out and never sent to the terminal.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.segment import Segment
from rich.status import Status
from rich.table import Table
from rich.text import Text

from cs_pipeline.cli.control_characters import escaped, has_control_characters

if TYPE_CHECKING:
    import pandas as pd

WIDTH_OF_A_LOG = 110


class SafeConsole(Console):
    """A console on which data cannot act: it takes no markup, and writes control characters out."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as rich does, with control characters written out."""
        if isinstance(renderable, Text):
            renderable = _visible(renderable)
        for segment in super().render(renderable, options):
            if segment.control or not has_control_characters(segment.text):
                yield segment
            else:
                yield Segment(escaped(segment.text), segment.style)


console = SafeConsole(markup=False, highlight=False, width=None if sys.stdout.isatty() else WIDTH_OF_A_LOG)
errors = SafeConsole(markup=False, highlight=False, stderr=True)


def marked(template: str, *data: object) -> Text:
    """Fill a template with markup, such as "[bold]{}[/] is stopped"; what fills the braces is printed as it is."""
    return Text.from_markup(template.format(*(escape(escaped(each)) for each in data)))


def say_done(words: object, beside: str = "") -> None:
    """Print what is done, behind a green tick; `beside` in grey."""
    console.print(Text.assemble(("✓", "green"), " ", escaped(words), (beside, "dim")))


def say_heading(words: str, beside: str = "") -> None:
    """Print the heading of a table, below an empty line."""
    console.print(Text.assemble("\n", (escaped(words), "bold"), escaped(beside)))


def _visible(text: Text) -> Text:
    """The text with its styles, and with control characters written out."""
    if not has_control_characters(text.plain):
        return text
    made = text.blank_copy()
    for position, sign in enumerate(text.plain):
        part = text[position]
        made.append_text(part if not has_control_characters(sign) else Text.assemble((escaped(sign), part.style)))
    return made


@contextmanager
def progress() -> Iterator[Progress]:
    """Show progress on stderr; prints nothing where stderr is no terminal."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    ) as display:
        yield display


def status(words: str | Text) -> Status:
    """Show a line on stderr that says what is being done, until it is done."""
    return errors.status(words)


def print_frame(rows: "pd.DataFrame") -> None:
    """Print a table: columns with spaces for underscores, nothing for what is missing."""
    import pandas as pd

    printed = table(*(escaped(name).replace("_", " ") for name in rows.columns))
    for row in rows.to_dict("records"):
        printed.add_row(*(Text("" if pd.isna(value) else escaped(_words(value))) for value in row.values()))
    console.print(printed)


def table(*headings: str) -> Table:
    """An empty table in the house style."""
    drawn = Table(box=None, padding=(0, 2, 0, 0))
    for heading in headings:
        drawn.add_column(heading, header_style="dim")
    return drawn


def _words(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
