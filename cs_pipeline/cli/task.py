"""`task`: list tasks and mark them done, where no CRM is connected."""

from typing import Annotated

import typer

from cs_pipeline.cli.arguments import Who, who_decides
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import say_done
from cs_pipeline.cli.listing import AsJson, print_list
from cs_pipeline.clock import Clock
from cs_pipeline.settings import load_settings

commands = new_group("List tasks and say which are done, where no CRM is connected.")


@commands.command("list")
def list_tasks(
    assignee: Annotated[str, typer.Option(help="Only tasks of this address.")] = "", as_json: AsJson = False
) -> None:
    """List open tasks and opportunities, those due first at the top."""
    from cs_pipeline.plays.outbox.crm_sync import open_tasks
    from cs_pipeline.warehouse.locate import locate

    with locate(load_settings()).session() as session:
        rows = open_tasks(session, assignee or None)
    print_list(rows, as_json, "No task is open here. Tasks of a connected CRM are listed there.")


@commands.command()
def done(
    task: Annotated[list[int], typer.Argument(help="Ids of tasks, as `cs-pipeline task list` prints them.")],
    by: Who = "",
) -> None:
    """Mark tasks as done, so that the progress of their plays is known.

    Example: cs-pipeline task done 12 13
    """
    from cs_pipeline.plays.outbox.crm_sync import complete
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        count = complete(session, task, who_decides(by), Clock(settings.now).now())
    say_done(f"{count:,} done")
