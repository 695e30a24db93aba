"""`person`: remove what is kept of one person."""

from typing import Annotated

import typer

from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, say_done
from cs_pipeline.clock import Clock
from cs_pipeline.settings import load_settings

commands = new_group("Remove what is kept of one person.")


@commands.command()
def erase(
    person: Annotated[str, typer.Argument(help="E-mail address or user id of the person.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; what is erased does not come back.")] = False,
) -> None:
    """Remove one person's data everywhere here.

    Numbers stay, and a hash that keeps mail from the address.

    Example: cs-pipeline person erase ada@customer.example
    """
    from cs_pipeline.privacy.archives import archived_events_of
    from cs_pipeline.privacy.erasure import erase as forget
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    if not yes:
        typer.confirm("Erase this person's data? It does not come back", abort=True)
    warehouse = locate(settings)
    archived = archived_events_of(warehouse, person)
    counts = forget(warehouse, settings, person, Clock(settings.now).now())
    for table, count in counts.items():
        say_done(f"{table}: {count:,} rows")
    for file, rows in archived.items():
        held = "cannot be read from here" if rows is None else f"has {rows:,} events under the user id"
        console.print(f"{file} {held}: to delete them, `cs-pipeline data restore` it, delete by SQL, archive again")
    console.print(
        "Erase the person at the source, and at SendGrid, Slack and the CRM, too: they keep their own copies."
    )
