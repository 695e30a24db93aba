"""`progress`, `queue`, `start`: plays and accounts as those see them who work with customers."""

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from cs_pipeline.cli.console import console, print_frame
from cs_pipeline.cli.control_signs import on_one_line
from cs_pipeline.cli.plays import PLAYS
from cs_pipeline.clock import Clock
from cs_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd

    from cs_pipeline.plays.playbooks.schema import Playbook

MOST_LISTED = 2  # risks and next steps of a play among others


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (start, progress, queue):
        app.command(rich_help_panel=PLAYS)(command)


def start(
    playbook: Annotated[str, typer.Argument(help="Name of a playbook that people start.")],
    accounts: Annotated[list[str], typer.Argument(help="Ids of accounts.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the play.")] = "",
    key: Annotated[str, typer.Option(help="AsOf again with the same key starts nothing; without: the day.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who says so.")] = "",
) -> None:
    """Start a play by hand for accounts; every guard is asked. Says who entered, and who did not and why."""
    from cs_pipeline.plays.enrolment.manual import Ask
    from cs_pipeline.plays.enrolment.manual import start as started
    from cs_pipeline.plays.messages.renderer import Renderer
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    chosen = _playbook(playbook, settings)
    Renderer(settings).check(chosen)
    ask = Ask(by or getpass.getuser(), reason, key)
    found = started(locate(settings), chosen, accounts, ask, settings, Clock(settings.now).now())
    print_frame(found.outcomes)
    if found.trip is not None:
        console.print(Text(found.trip.words))
    elif not found.new:
        console.print("All of this was asked for before, and is as it was.")


def progress(
    account: Annotated[str, typer.Argument(help="Id of an account; nothing: all plays that run.")] = "",
    playbook: Annotated[str, typer.Option(help="Only plays of this playbook.")] = "",
    limit: Annotated[int, typer.Option(help="How many plays to show.", min=1)] = 20,
) -> None:
    """Say how far plays are: what is done, milestones, what comes next, what is wrong. In trouble come first."""
    from cs_pipeline.reports.plays.progress import progress as read
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    if playbook:
        _playbook(playbook, settings)
    with locate(settings).session() as session:
        found = read(session, Clock(settings.now).now(), account or None, playbook or None)
    if found.empty:
        of = f" of {playbook}" if playbook else ""
        console.print(f"{account} is in no play{of}, and was in none." if account else f"No play{of} is running.")
    _print_plays(found.head(limit), most=None if account else MOST_LISTED)
    if len(found) > limit:
        console.print(f"{limit:,} of {len(found):,} plays; --limit shows more.")


def queue(
    owner: Annotated[str, typer.Option(help="E-mail address of an owner; without: of all.")] = "",
    limit: Annotated[int, typer.Option(help="How many accounts.", min=1)] = 20,
) -> None:
    """Say where time goes first: accounts by ARR times risk, with what holds them back and what is planned."""
    from cs_pipeline.reports.plays.work_queue import queue_for_people, work_queue
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        found = work_queue(session, Clock(settings.now).now(), owner or None, limit)
    if found.empty:
        console.print(f"{owner} owns no account." if owner else "There is no account yet.")
        return
    for place, row in enumerate(queue_for_people(found).to_dict("records"), start=1):
        _print_account(place, row)


def _print_plays(found: "pd.DataFrame", most: int | None) -> None:
    """The plays one below the other; of each list of texts at most so many."""
    for play in found.to_dict("records"):
        ended = f", {play['reason'].replace('_', ' ')}" if play["reason"] else ""
        state = play["status"] if play["status"] != "active" else f"day {play['day']}, {play['health']}"
        name = play["account_name"] or play["account_id"]
        console.print(
            Text(on_one_line(f"{name} ({play['account_id']}), {play['title']}: {state}{ended}"), style="bold")
        )
        for title, texts in (
            ("Steps", [f"{play['done']} of {play['steps']} done"]),
            ("Milestones reached", play["completed_milestones"]),
            ("Milestone now", [play["current_milestone"]] if play["current_milestone"] else []),
            ("Milestones to come", play["upcoming_milestones"]),
            ("Risks", play["risks"]),
            ("Next", play["next_actions"]),
        ):
            if texts:
                more = f"; {len(texts) - most} more" if most and len(texts) > most else ""
                console.print(Text(on_one_line(f"  {title}: {'; '.join(texts[:most])}{more}")))


def _print_account(place: int, row: "Mapping[Hashable, Any]") -> None:
    named = on_one_line(f"{row['account']} ({row['account_id']})")
    console.print(Text(f"{place}. {named}: {row['at_stake']:,.0f} at stake", style="bold"))
    days = row["renews_in_days"]
    facts = [
        f"ARR {row['arr']:,.0f}",
        row["band"],
        "" if days is None or days != days else f"renews in {days:,.0f} days" if days >= 0 else "renewal overdue",
        row["owner"],
    ]
    console.print(Text(on_one_line(f"  {', '.join(filter(None, facts))}")))
    for title, words in (("Why", row["why"]), ("Play", row["play"]), ("Next", row["next"])):
        if words:
            console.print(Text(on_one_line(f"  {title}: {words}")))


def _playbook(name: str, settings: Settings) -> "Playbook":
    from cs_pipeline.plays.playbooks.schema import load_playbooks, playbook_named

    return playbook_named(name, load_playbooks(settings.config))
