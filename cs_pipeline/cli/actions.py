"""`approve`, `hold`, `cancel`, `resend`, `missed`, `why-action`, `erase`: what people decide about actions."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.console import console, print_frame, say_done, say_heading
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    from cs_pipeline.plays.outbox.manual_actions import Verb

PLAYS = "Plays"

Ids = Annotated[list[int], typer.Argument(help="Ids of actions, as `cs-pipeline actions` lists them.")]
Who = Annotated[str, typer.Option("--by", help="Who says so.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (approve, hold, cancel, resend, missed, erase):
        app.command(rich_help_panel=PLAYS)(command)
    app.command("why-action", rich_help_panel=PLAYS)(why_action)


def approve(action: Ids, by: Who = "") -> None:
    """Let actions go that wait for approval, or are on hold."""
    _decide("approve", action, by)


def hold(action: Ids, by: Who = "") -> None:
    """Hold planned actions until somebody approves them."""
    _decide("hold", action, by)


def cancel(action: Ids, by: Who = "") -> None:
    """Drop actions that were not sent, or of which nobody knows."""
    _decide("cancel", action, by)


def resend(action: Ids, by: Who = "") -> None:
    """Send actions once more, whatever became of them before. Guards are asked as ever."""
    _decide("resend", action, by)


def why_action(
    action: Annotated[int, typer.Argument(help="Id of the action, as `cs-pipeline actions` lists it.")],
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
            who = by or getpass.getuser()
            count = of_outbox.decide(session, chosen[0], playbook or None, who, Clock(settings.now).now())
            say_done(f"{count:,} missed actions: {chosen[0]}")
            return
        waiting = of_outbox.waiting(session)
    if waiting.empty:
        console.print("Nothing was missed.")
        return
    print_frame(waiting)
    console.print("Decide with --catch-up, --retime or --drop; for one playbook only with --playbook NAME.")


def erase(
    person: Annotated[str, typer.Argument(help="E-mail address or user id of the person.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; what is erased does not come back.")] = False,
) -> None:
    """Remove one person's data everywhere here. Numbers stay, and a hash that keeps mail from the address."""
    from cs_pipeline.privacy.erasure import erase as forget
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    if not yes:
        typer.confirm("Erase this person's data? It does not come back", abort=True)
    counts = forget(locate(settings), settings, person, Clock(settings.now).now())
    for table, count in counts.items():
        say_done(f"{table}: {count:,} rows")
    console.print(
        "Erase the person at the source, and at SendGrid, Slack and the CRM, too: they keep their own copies."
    )


def _decide(verb: "Verb", action_ids: list[int], by: str) -> None:
    from cs_pipeline.plays.outbox.manual_actions import DECISIONS, decide
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        count = decide(session, verb, action_ids, by or getpass.getuser(), Clock(settings.now).now())
    say_done(f"{count:,} {DECISIONS[verb].done}")
