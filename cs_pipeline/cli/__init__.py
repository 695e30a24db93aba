"""The `cs-pipeline` command. Commands are thin: they read settings, call a room, and print.

Dagster and dbt take seconds to import, so commands import what they need when they run.
"""

import sys
import warnings

import typer

from cs_pipeline.cli import (
    actions,
    backtest,
    breaker,
    data,
    demo,
    effect,
    history,
    models,
    operate,
    plays,
    rehearsal,
    scores,
    server,
    tasks,
    work,
)
from cs_pipeline.cli.console import errors
from cs_pipeline.errors import UserError

app = typer.Typer(
    name="cs-pipeline",
    help="Customer-success pipeline: load data, score accounts week by week, run plays.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for room in (
    demo,
    server,
    data,
    operate,
    history,
    scores,
    models,
    backtest,
    plays,
    rehearsal,
    actions,
    breaker,
    effect,
    work,
    tasks,
):
    room.register(app)


def main() -> None:
    """Run the command; an error a user can put right is one message and exit code 1."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries tell developers is not for those who operate
    try:
        app()
    except UserError as error:
        errors.print(f"[bold red]Error:[/] {error}", markup=True, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print("Interrupted.")
        sys.exit(130)
