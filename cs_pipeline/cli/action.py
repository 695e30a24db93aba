"""`action`: list single actions in the outbox and captured messages, decide about them, trace one to its source."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import ActionIds, Limit, Who, who_decides
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, print_frame, say_done, say_heading
from cs_pipeline.cli.listing import AsJson, print_json, print_list
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    from cs_pipeline.plays.outbox.manual_actions import Verb

commands = new_group("Decide about single e-mails, messages and tasks, and trace them to their source.")


@commands.command("list")
def list_actions(
    status: Annotated[str, typer.Option(help="uncertain, failed or awaiting_approval; empty: all three.")] = "",
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Count actions by state, and list those that wait for a person.

    As JSON only the latter. Example: cs-pipeline action list --status uncertain
    """
    from cs_pipeline.reports.plays.queries import actions_by_status, waiting_for_people
    from cs_pipeline.warehouse.locate import locate

    with locate(load_settings()).session() as session:
        counts = actions_by_status(session)
        waiting = waiting_for_people(session, limit)
    shown = waiting if not status else waiting[waiting["status"] == status]
    if as_json:
        print_json(shown)
        return
    if counts.empty:
        console.print("The outbox is empty.")
        return
    print_frame(counts if not status else counts[counts["status"] == status])
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
    """Drop actions that were not sent, or of which nobody knows whether they were."""
    _decide("cancel", action, by)


@commands.command()
def resend(action: ActionIds, by: Who = "") -> None:
    """Send actions once more, whatever became of them; guards are asked as ever."""
    _decide("resend", action, by)


@commands.command("why")
def why_action(
    action: Annotated[int, typer.Argument(help="Id of the action, as `cs-pipeline action list` prints it.")],
    as_json: AsJson = False,
) -> None:
    """Trace an action to its source: play, trigger, score, metrics and loaded rows."""
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.reports.plays.action_story import tell_action

    story = tell_action(start_warehouse(load_settings()), action)
    if as_json:
        print_json({"paragraphs": story.paragraphs, "tables": story.tables})
        return
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
    as_json: AsJson = False,
) -> None:
    """List what was due while nothing ran, or decide on it: catch up, retime or drop.

    Example: cs-pipeline action missed --retime --playbook red_save
    """
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
    print_list(waiting, as_json, "Nothing was missed.")
    if not (waiting.empty or as_json):
        console.print("Decide with --catch-up, --retime or --drop; for one playbook only with --playbook NAME.")


@commands.command()
def doubt() -> None:
    """Make uncertain what is due, after a restore: since the backup it may have gone out, and nothing goes out twice.

    `cs-pipeline action list --status uncertain` lists it then; `action resend` and `action cancel` decide. Do it before
    a daemon runs on the restored database (docs/deploy.md).
    """
    from cs_pipeline.plays.outbox.uncertain import doubt_what_was_due
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        count = doubt_what_was_due(session, Clock(settings.now).now())
    say_done(f"{count:,} actions are uncertain now: they may have gone out since the backup")


@commands.command()
def captured(limit: Limit = 20, as_json: AsJson = False) -> None:
    """List the newest captured messages, and say where to look at them."""
    from cs_pipeline.reports.plays.queries import recent_messages
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        rows = recent_messages(session, limit)
    if as_json:
        print_json(rows)
        return
    if rows.empty:
        console.print("No message was captured yet.")
        return
    print_frame(rows[["captured_at", "channel", "recipient", "subject", "playbook", "step"]])
    console.print(f"All of them, as their readers would see them: {settings.captures}/index.html")


def _decide(verb: "Verb", action_ids: list[int], by: str) -> None:
    from cs_pipeline.plays.outbox.manual_actions import DECISIONS, decide
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        count = decide(session, verb, action_ids, who_decides(by), Clock(settings.now).now())
    say_done(f"{count:,} {DECISIONS[verb].done}")
