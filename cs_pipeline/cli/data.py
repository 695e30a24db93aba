"""`load`, `land`, `map`, `rejects`, `generate`: data in."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cs_pipeline.cli.console import console
from cs_pipeline.settings import load_settings

DATA = "Data in"
Folder = Annotated[Path, typer.Argument(help="Folder to read.", exists=True, file_okay=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=DATA)(load)
    app.command(rich_help_panel=DATA)(land)
    app.command(name="map", rich_help_panel=DATA)(map_tables)
    app.command(rich_help_panel=DATA)(rejects)
    app.command(rich_help_panel=DATA)(generate)


def load(folder: Folder) -> None:
    """Load canonical CSV or Parquet files, checked against the source contract. Loading twice changes nothing."""


def land(folder: Folder) -> None:
    """Load files of any form as they are into the schema `landing`, for mappings to read."""


def map_tables(folder: Folder) -> None:
    """Install a folder of mappings (one select per canonical table) and bring their rows through the contract."""


def rejects(
    table: Annotated[str, typer.Option(help="Only rows of this canonical table.")] = "",
    limit: Annotated[int, typer.Option(help="How many rows to show.", min=1)] = 20,
) -> None:
    """Show the rows that broke the source contract, and why."""


def generate(
    folder: Annotated[Path, typer.Argument(help="Folder to write; created when missing.")],
    accounts: Annotated[int, typer.Option(help="Number of accounts.", min=1)] = 300,
    weeks: Annotated[int, typer.Option(help="Weeks of history.", min=1)] = 80,
    seed: Annotated[int, typer.Option(help="Same seed, same company.")] = 7,
) -> None:
    """Write a sample company as canonical Parquet files."""
