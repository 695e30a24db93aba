"""`score`: set scores by hand, find weeks with late data, reproduce scores as they were known."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import DAY, FirstWeek, LastWeek, Who, who_decides
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, print_frame, say_done, say_heading, status
from cs_pipeline.cli.listing import AsJson, print_json, print_list
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

commands = new_group("Set a score by hand, find weeks with late data, reproduce scores as they were known.")

MOMENT = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"]
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)


@commands.command()
def override(
    account: Annotated[str, typer.Argument(help="Id of the account.")],
    score: Annotated[float | None, typer.Option(help="The score that should count, 0 to 100.")] = None,
    band: Annotated[str | None, typer.Option(help="The band that should count.")] = None,
    reason: Annotated[str, typer.Option(help="Why; shown wherever both numbers are.")] = "",
    until: Annotated[datetime | None, typer.Option(formats=DAY, help="Last day on which it counts.")] = None,
    by: Who = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="End what was set before.")] = False,
) -> None:
    """Set the score or band of an account in place of the model, until a day.

    The model's own number is kept beside it.

    Example: cs-pipeline score override acc-000013 --band Red --reason "new owner" --until 2025-09-30
    """
    from cs_pipeline.health.selection import load_selection
    from cs_pipeline.history.overrides import OverrideRequest, set_override, withdraw_override
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    now, who, warehouse = Clock(settings.now).now(), who_decides(by), locate(settings)
    if withdraw:
        with warehouse.session() as session:
            if not withdraw_override(session, account, who, now):
                raise UserError(f"Nothing is set for '{account}'; `cs-pipeline score overrides` lists what is")
        say_done(f"{account} has the model's score again from the week that is running")
        return
    if until is None:
        raise UserError("Say until when, with --until YYYY-MM-DD: nobody remembers an override for ever")
    asked = OverrideRequest(account, reason, who, until.date(), score, band)
    first = set_override(warehouse, load_selection(settings.config), asked, now)
    say_done(f"set for {account}: counts from week {first}, when that week is scored")


@commands.command()
def overrides(as_json: AsJson = False) -> None:
    """List the scores set by hand, with who, why and until when."""
    from cs_pipeline.history.overrides import overrides_in_force
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        rows = overrides_in_force(session, Clock(settings.now).now())
    print_list(rows, as_json, "No score is set by hand.")


@commands.command()
def late(
    from_: Annotated[
        datetime | None, typer.Option("--from", formats=DAY, help="First week, a Monday; without: the first scored.")
    ] = None,
    to: Annotated[
        datetime | None, typer.Option("--to", formats=DAY, help="Last week, a Monday; without: the last scored.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List scored weeks whose inputs changed since, by week and table; changes nothing."""
    from cs_pipeline.history.late_data import late_data
    from cs_pipeline.reports.scores.text import by_week_range, late_data_in_one_table
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    first, last = from_.date() if from_ else EARLIEST, to.date() if to else LATEST
    found = late_data(locate(settings), first, last, settings.late_rows)
    if as_json:
        print_json(late_data_in_one_table(found))
        return
    if found.arrived.empty and found.changed.empty:
        say_done("nothing that the scored weeks look at changed since they were scored")
        return
    if not found.arrived.empty:
        say_heading("Rows that arrived after the week was scored")
        print_frame(by_week_range(found.arrived))
    if not found.changed.empty:
        say_heading("Rows that were changed after the week was scored, and may matter to it")
        print_frame(by_week_range(found.changed))
    again = found.weeks_to_score_again
    if again:
        console.print(f"\n{len(again)} weeks would see other rows if scored again:")
        console.print(Text(f"  cs-pipeline backfill --from {again[0]} --to {again[-1]}"))


@commands.command()
def reproduce(
    from_: FirstWeek,
    to: LastWeek,
    as_known_at: Annotated[
        datetime, typer.Option(formats=MOMENT, help="Only rows that had arrived before this moment, UTC.")
    ],
    rows: Annotated[int, typer.Option(help="How many differences to print.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """Score weeks from what was known at a moment, and list how the stored scores differ.

    Changes nothing. Example:
    cs-pipeline score reproduce --from 2025-06-02 --to 2025-06-09 --as-known-at 2025-06-20T12:00
    """
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.history import reproduction
    from cs_pipeline.reports.scores.text import reproduction_differences, reproduction_verdict
    from cs_pipeline.warehouse.dbt_folder import dbt_folder

    settings = load_settings()
    known_at = as_known_at.replace(tzinfo=UTC)
    with status("Checking") as shown:
        found = reproduction.reproduce(
            start_warehouse(settings),
            from_.date(),
            to.date(),
            known_at,
            on_step=shown.update,
            log=settings.home / "logs" / "replay.log",
            folder=dbt_folder(settings),
        )
    if found.compared == 0:
        raise UserError(f"No week from {from_.date()} to {to.date()} is scored; there is nothing to compare with")
    if as_json:
        print_json(found.differences.head(rows))
        return
    console.print(f"{found.compared:,} scores as known at {known_at:%Y-%m-%d %H:%M} UTC: {reproduction_verdict(found)}")
    if not found.differences.empty:
        print_frame(reproduction_differences(found).head(rows))
