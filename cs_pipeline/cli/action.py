"""`action`: single actions of plays, in the outbox: list them, decide about them, ask where one comes from."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import ActionIds, Limit, Who, who_decides
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, print_frame, say_done, say_heading
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    from cs_pipeline.plays.outbox.manual_actions import Verb

commands = new_group("List single e-mails, messages and tasks of plays, decide about them, trace one to its source.")


@commands.command("list")
def list_actions(
    status: Annotated[str, typer.Option(help="uncertain, failed or awaiting_approval; empty: all three.")] = "",
    limit: Limit = 50,
) -> None:
    """Show how many actions are in which state, and those that wait for a person."""
    from cs_pipeline.reports.plays.status import actions_by_status, waiting_for_people
    from cs_pipeline.warehouse.locate import locate

    with locate(load_settings()).session() as session:
        counts = actions_by_status(session)
        waiting = waiting_for_people(session, limit)
    if counts.empty:
        console.print("The outbox is empty.")
        return
    print_frame(counts if not status else counts[counts["status"] == status])
    shown = waiting if not status else waiting[waiting["status"] == status]
    if not shown.empty:
        say_heading("Waiting for a person")
        print_frame(shown)


@commands.command()
def approve(action: ActionIds, by: Who = "") -> None:
    """Let actions go that wait for approval, or are on hold."""
    _decide("approve", action, by)


@commands.command()
def hold(action: ActionIds, by: Who = "") -> None:
    """Hold planned actions until somebody approves them."""
    _decide("hold", action, by)


@commands.command()
def cancel(action: ActionIds, by: Who = "") -> None:
    """Drop actions that were not sent, or of which nobody knows."""
    _decide("cancel", action, by)


@commands.command()
def resend(action: ActionIds, by: Who = "") -> None:
    """Send actions once more, whatever became of them before. Guards are asked as ever."""
    _decide("resend", action, by)


@commands.command("why")
def why_action(
    action: Annotated[int, typer.Argument(help="Id of the action, as `cs-pipeline action list` prints it.")],
) -> None:
    """Say where an action comes from: play, trigger, score, metrics, model version, and the rows that were loaded."""
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.reports.plays.action_story import tell_action

    story = tell_action(start_warehouse(load_settings()), action)
    for paragraph in story.paragraphs:
        console.print(Text(paragraph))
    for title, rows in story.tables.items():
        if not rows.empty:
            say_heading(title)
            print_frame(rows)


@commands.command()
def missed(
    catch_up: Annotated[bool, typer.Option("--catch-up", help="Take them now; steps of a play keep apart.")] = False,
    retime: Annotated[bool, typer.Option("--retime", help="Let what is left of each play begin anew now.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Cancel them.")] = False,
    playbook: Annotated[str, typer.Option(help="Only those of this playbook.")] = "",
    by: Who = "",
) -> None:
    """Show what was due while nobody was there to take it, or decide on it: catch up, retime, or drop."""
    from cs_pipeline.plays.outbox import missed as of_outbox
    from cs_pipeline.warehouse.locate import locate

    asked: dict[of_outbox.Choice, bool] = {"catch-up": catch_up, "retime": retime, "drop": drop}
    chosen: list[of_outbox.Choice] = [choice for choice, is_chosen in asked.items() if is_chosen]
    if len(chosen) > 1:
        raise UserError(f"Choose one of --{' and --'.join(chosen)}")
    settings = load_settings()
    with locate(settings).session() as session:
        if chosen:
            who = who_decides(by)
            count = of_outbox.decide(session, chosen[0], playbook or None, who, Clock(settings.now).now())
            say_done(f"{count:,} missed actions: {chosen[0]}")
            return
        waiting = of_outbox.waiting(session)
    if waiting.empty:
        console.print("Nothing was missed.")
        return
    print_frame(waiting)
    console.print("Decide with --catch-up, --retime or --drop; for one playbook only with --playbook NAME.")


def _decide(verb: "Verb", action_ids: list[int], by: str) -> None:
    from cs_pipeline.plays.outbox.manual_actions import DECISIONS, decide
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        count = decide(session, verb, action_ids, who_decides(by), Clock(settings.now).now())
    say_done(f"{count:,} {DECISIONS[verb].done}")
