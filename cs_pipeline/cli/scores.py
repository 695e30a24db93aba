"""`why`, `override`, `overrides`: the score of an account, explained, and set by hand."""

import getpass
from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.console import console, print_frame, say_done, say_heading
from cs_pipeline.cli.control_signs import on_one_line
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

SCORES = "Scores"
DAY = ["%Y-%m-%d"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=SCORES)(why)
    app.command(rich_help_panel=SCORES)(override)
    app.command(rich_help_panel=SCORES)(overrides)


def why(
    account: Annotated[str, typer.Argument(help="Id of the account, or its name.")],
    week: Annotated[
        datetime | None, typer.Option(formats=DAY, help="The Monday of the week; without: the newest scored.")
    ] = None,
) -> None:
    """Say in words why an account has its score and why it changed, with the numbers that sum to it."""
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.reports.scores.account_story import tell_story

    story = tell_story(start_warehouse(load_settings()), account, week.date() if week else None)
    named = on_one_line(f"{story.account_name} ({story.account_id})")
    console.print(Text(f"{named}, week {story.week}", style="bold"))
    for paragraph in story.paragraphs:
        console.print(Text(paragraph))
    for title, rows in story.tables.items():
        if not rows.empty:
            say_heading(title)
            print_frame(rows)


def override(
    account: Annotated[str, typer.Argument(help="Id of the account.")],
    score: Annotated[float | None, typer.Option(help="The score that should count, 0 to 100.")] = None,
    band: Annotated[str | None, typer.Option(help="The band that should count.")] = None,
    because: Annotated[str, typer.Option(help="Why; shown wherever both numbers are.")] = "",
    until: Annotated[datetime | None, typer.Option(formats=DAY, help="Last day on which it counts.")] = None,
    by: Annotated[str, typer.Option(help="Who says so.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="End what was set before.")] = False,
) -> None:
    """Set the score or band of an account in place of the model, until a day. The model's own number is kept beside."""
    from cs_pipeline.health.selection import load_selection
    from cs_pipeline.history.overrides import OverrideRequest, set_override, withdraw_override
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    now, who, warehouse = Clock(settings.now).now(), by or getpass.getuser(), locate(settings)
    if withdraw:
        with warehouse.session() as session:
            if not withdraw_override(session, account, who, now):
                raise UserError(f"Nothing is set for '{account}'; `cs-pipeline overrides` lists what is")
        say_done(f"{account} has the model's score again from the week that is running")
        return
    if until is None:
        raise UserError("Say until when, with --until YYYY-MM-DD: nobody remembers an override for ever")
    asked = OverrideRequest(account, because, who, until.date(), score, band)
    first = set_override(warehouse, load_selection(settings.config), asked, now)
    say_done(f"set for {account}: counts from week {first}, when that week is scored")


def overrides() -> None:
    """List what people have set in place of a model, with who, why and until when."""
    from cs_pipeline.history.overrides import overrides_in_force
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        rows = overrides_in_force(session, Clock(settings.now).now())
    if rows.empty:
        console.print("No score is set by hand.")
        return
    print_frame(rows)
