"""`up`, `down`, `doctor`, `env`."""

import shlex

import typer
from rich.table import Table
from rich.text import Text

from cs_pipeline.cli.console import console
from cs_pipeline.settings import load_settings

MARKS = {"ok": Text("✓", "green"), "note": Text("•", "yellow"), "wrong": Text("✗", "red")}


def up() -> None:
    """Start the database, the Dagster UI, the daemon and the page of captured messages."""
    from cs_pipeline.cli.services import start_all

    start_all(load_settings())


def down() -> None:
    """Stop everything that `up` started, cleanly."""
    from cs_pipeline.cli.services import stop_all

    stop_all(load_settings())


def doctor() -> None:
    """Say what is configured, reachable and missing. Exit code 1 when something is wrong."""
    from cs_pipeline.cli.doctor import examine

    table = Table(box=None, show_header=False, padding=(0, 1))
    wrong = 0
    for finding in examine(load_settings()):
        wrong += finding.state == "wrong"
        table.add_row(MARKS[finding.state], finding.subject, finding.words)
    console.print(table)
    if wrong:
        console.print(Text(f"{wrong} to put right.", "red"))
        raise typer.Exit(1)


def env() -> None:
    """Print the variables with which plain dagster and dbt commands find the same data: eval "$(cs-pipeline env)"."""
    from cs_pipeline.cli.services import environment_for, prepare_dagster_home
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    prepare_dagster_home(settings)
    for name, value in environment_for(settings, locate(settings)).items():
        print(f"export {name}={shlex.quote(value)}")  # noqa: T201 - for the shell, not for a person
