"""`task`: list tasks, mark them done, and note conversations, where no CRM is connected."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cs_pipeline.cli.arguments import MOMENTS, Who, who_decides
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import say_done
from cs_pipeline.cli.listing import AsJson, print_list
from cs_pipeline.clock import Clock
from cs_pipeline.settings import load_settings

commands = new_group("List tasks, say which are done and note conversations, where no CRM is connected.")


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


@commands.command()
def note(
    account: Annotated[str, typer.Argument(help="Id of the account.")],
    kind: Annotated[str, typer.Option(help="call, check_in, qbr, ebr, training, executive_call, kickoff, …")] = "call",
    held_at: Annotated[
        datetime | None, typer.Option(formats=MOMENTS, help="When, in the team's time zone; without: just now.")
    ] = None,
    said: Annotated[str, typer.Option(help="What was said; shown on the account's page.")] = "",
    by: Who = "",
) -> None:
    """Note a conversation that no calendar or CRM tells of.

    It counts as a touchpoint of the account.

    Example: cs-pipeline task note acc-000013 --kind check_in --held-at 2025-06-02T15:00
    """
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.history.conversations import Conversation, note_conversation

    settings = load_settings()
    now = Clock(settings.now).now()
    moment = held_at.replace(tzinfo=ZoneInfo(settings.timezone)) if held_at else now
    note_conversation(start_warehouse(settings), Conversation(account, kind, moment, who_decides(by), said), now)
    say_done(f"Noted: {kind.replace('_', ' ')} with {account}")
