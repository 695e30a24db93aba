"""`tasks`, `task-done`: tasks that stand here, where no CRM is connected."""

import getpass
from typing import Annotated

import typer

from cs_pipeline.cli.console import console, print_frame, say_done
from cs_pipeline.clock import Clock
from cs_pipeline.settings import load_settings

PLAYS = "Plays"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PLAYS)(tasks)
    app.command("task-done", rich_help_panel=PLAYS)(task_done)


def tasks(assignee: Annotated[str, typer.Option(help="Only tasks of this address.")] = "") -> None:
    """List open tasks and opportunities that stand here, what is due first."""
    from cs_pipeline.plays.outbox.crm_sync import open_tasks
    from cs_pipeline.warehouse.locate import locate

    with locate(load_settings()).session() as session:
        rows = open_tasks(session, assignee or None)
    if rows.empty:
        console.print("No task is open here. Tasks of a connected CRM are listed there.")
    else:
        print_frame(rows)


def task_done(
    task: Annotated[list[int], typer.Argument(help="Ids of tasks, as `cs-pipeline tasks` lists them.")],
    by: Annotated[str, typer.Option("--by", help="Who says so.")] = "",
) -> None:
    """Note that tasks are done, so that the progress of their plays is known."""
    from cs_pipeline.plays.outbox.crm_sync import complete
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        count = complete(session, task, by or getpass.getuser(), Clock(settings.now).now())
    say_done(f"{count:,} done")
