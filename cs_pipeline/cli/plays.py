"""`playbooks`, `messages`, `actions`, `stop`, `resume`: plays, as an operator sees them."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.text import Text

from cs_pipeline.cli.console import console, print_frame, say_done, say_heading, table
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    from cs_pipeline.plays.outbox.kill_switch import Scope

PLAYS = "Plays"
SCOPES = ("everything", "channel", "playbook", "account")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PLAYS)(playbooks)
    app.command(rich_help_panel=PLAYS)(messages)
    app.command(rich_help_panel=PLAYS)(actions)
    app.command(rich_help_panel=PLAYS)(stop)
    app.command(rich_help_panel=PLAYS)(resume)


def playbooks(
    name: Annotated[str, typer.Argument(help="Show the steps of this playbook.")] = "",
    pages: Annotated[Path | None, typer.Option(help="Write a page about each into this folder, and an index.")] = None,
) -> None:
    """List the playbooks, or the steps of one. Fails when a file or a template is wrong, saying where."""
    from cs_pipeline.plays.messages.renderer import Renderer
    from cs_pipeline.plays.playbooks.schema import load_playbooks, playbook_named
    from cs_pipeline.plays.triggers.named_causes import check_causes

    settings = load_settings()
    found = load_playbooks(settings.config)
    check_causes(found, settings.config)
    renderer = Renderer(settings)
    for playbook in found.values():
        renderer.check(playbook)
    if pages is not None:
        from cs_pipeline.reports.playbooks.pages import INDEX, write_pages

        say_done(f"{write_pages(found, pages)} playbooks, see {pages / INDEX}")
        return
    if not name:
        listed = table("playbook", "family", "priority", "started by", "steps", "what it is for")
        for playbook in found.values():
            started = playbook.trigger.kind.replace("_", " ")
            days = f"{len(playbook.steps)}, day {playbook.steps[0].day} to {playbook.steps[-1].day}"
            listed.add_row(
                playbook.playbook, playbook.family, str(playbook.priority), started, days, Text(playbook.title)
            )
        console.print(listed)
        return
    playbook = playbook_named(name, found)
    console.print(Text.assemble((playbook.title, "bold"), f" ({playbook.playbook}, version {playbook.version})"))
    console.print(Text(playbook.description))
    console.print(Text(f"Starts on {playbook.trigger.kind.replace('_', ' ')}: {playbook.trigger.when or 'any'}"))
    console.print(Text(f"Audience: {playbook.audience or 'everybody'}"))
    listed = table("day", "step", "channel", "to", "intent", "only when")
    for step in playbook.steps:
        when = " ".join(filter(None, [step.when, "needs approval" if step.waits_for_approval else ""]))
        listed.add_row(str(step.day), step.step, step.channel, step.to, step.intent, Text(when))
    console.print(listed)


def messages(limit: Annotated[int, typer.Option(help="How many to show.", min=1)] = 20) -> None:
    """List the newest captured messages and where to look at them."""
    from cs_pipeline.reports.plays.status import recent_messages
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        rows = recent_messages(session, limit)
    if rows.empty:
        console.print("No message was captured yet.")
        return
    print_frame(rows[["captured_at", "channel", "recipient", "subject", "playbook", "step"]])
    console.print(f"All of them, as their readers would see them: {settings.captures}/index.html")


def actions(
    status: Annotated[str, typer.Option(help="uncertain, failed or awaiting_approval; empty: all three.")] = "",
    limit: Annotated[int, typer.Option(help="How many to show.", min=1)] = 50,
) -> None:
    """Show the outbox: how many actions are in which state, and those that wait for a person."""
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


def stop(
    scope: Annotated[str, typer.Argument(help="everything, channel, playbook or account.")],
    name: Annotated[str, typer.Argument(help="Which one; nothing for everything.")] = "",
    reason: Annotated[str, typer.Option(help="Why; shown to everybody who wonders.")] = "",
) -> None:
    """Stop everything, a channel, a playbook or an account at once. What is planned stays planned."""
    from cs_pipeline.plays.outbox import kill_switch
    from cs_pipeline.warehouse.locate import locate

    if not reason:
        raise UserError("Say why, with --reason: somebody will wonder.")
    settings = load_settings()
    with locate(settings).session() as session:
        kill_switch.stop(
            session, _scope(scope), _name(scope, name), reason, getpass.getuser(), Clock(settings.now).now()
        )
    say_done(f"{scope} {name} is stopped".replace("  ", " "))


def resume(
    scope: Annotated[str, typer.Argument(help="everything, channel, playbook or account.")],
    name: Annotated[str, typer.Argument(help="Which one; nothing for everything.")] = "",
) -> None:
    """Undo `stop`."""
    from cs_pipeline.plays.outbox import kill_switch
    from cs_pipeline.warehouse.locate import locate

    with locate(load_settings()).session() as session:
        lifted = kill_switch.lift(session, _scope(scope), _name(scope, name))
    if not lifted:
        raise UserError(f"{scope} {name} was not stopped; `cs-pipeline doctor` lists what is".replace("  ", " "))
    say_done(f"{scope} {name} goes on".replace("  ", " "))


def _scope(scope: str) -> "Scope":
    if scope not in SCOPES:
        raise UserError(f"'{scope}' cannot be stopped; expected one of: {', '.join(SCOPES)}")
    return cast("Scope", scope)


def _name(scope: str, name: str) -> str:
    if scope == "everything":
        return "*"
    if not name:
        raise UserError(f"Which {scope}? Give its name.")
    return name
