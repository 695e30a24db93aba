"""Where commands print, and how they show progress on long work."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pandas as pd

WIDTH_OF_A_LOG = 110
console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_OF_A_LOG)
errors = Console(stderr=True, highlight=False)


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress display; in a log file it prints nothing until it is done."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as display:
        yield display


def print_frame(rows: "pd.DataFrame") -> None:
    """Print a table: columns with spaces for underscores, nothing for what is missing."""
    import pandas as pd

    printed = table(*(str(name).replace("_", " ") for name in rows.columns))
    for row in rows.to_dict("records"):
        printed.add_row(*(Text("" if pd.isna(value) else _words(value)) for value in row.values()))
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
