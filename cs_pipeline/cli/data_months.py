"""`data months`, `data archive`, `data restore`: which months of events there are, and where the old ones are kept."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cs_pipeline.cli.console import console, progress, say_done
from cs_pipeline.cli.listing import AsJson, print_json, print_list
from cs_pipeline.clock import Clock
from cs_pipeline.settings import load_settings


def months(as_json: AsJson = False) -> None:
    """List the months of events with rows (as PostgreSQL estimates them) and size, and where archived ones are."""
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.warehouse.archive import months as list_months

    print_list(list_months(start_warehouse(load_settings())), as_json, "There are no events yet.")


def archive(
    before: Annotated[datetime, typer.Option(formats=["%Y-%m"], help="Months before this one, such as 2025-01.")],
    to: Annotated[
        Path | None,
        typer.Option(help="Folder for the files.", file_okay=False, show_default="archive in the home folder"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be archived.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write old months of events to Parquet files and take them out of the database; daily sums and scores stay.

    Each file is read back before its month goes. A month is one transaction: interrupted, run it again and it goes on.
    Example: cs-pipeline data archive --before 2024-01 --to /backup/events --dry-run
    """
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.warehouse import archive as archiving

    settings = load_settings()
    warehouse = start_warehouse(settings)
    folder = (to or settings.home / "archive").absolute()
    stands = archiving.plan(warehouse, before.date(), Clock(settings.now).now().date())
    done = [
        {"month": f"{each.month.starts:%Y-%m}", "rows": each.rows, "file": archiving.file_of(folder, each.month)}
        for each in stands
    ]
    if not dry_run:
        with progress() as display:
            for each in stands:
                task = display.add_task(f"{each.month.starts:%Y-%m}", total=each.rows or None)
                archiving.archive(
                    warehouse, each.month, folder, lambda rows, task=task: display.update(task, completed=rows)
                )
    if as_json:
        print_json(done)
    elif not done:
        console.print(f"No month before {before:%Y-%m} is in the database.")
    for line in () if as_json else done:
        words = f"{line['month']}, about {line['rows']:,} rows, {'would go' if dry_run else 'is'} to {line['file']}"
        console.print(words) if dry_run else say_done(words)


def restore(
    files: Annotated[list[Path], typer.Argument(help="Parquet files of `data archive`.", exists=True, dir_okay=False)],
) -> None:
    """Bring archived months of events back from their files, which stay where they are.

    Example: cs-pipeline data restore /backup/events/events_2023_12.parquet
    """
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.warehouse.archive import restore as bring_back

    warehouse = start_warehouse(load_settings())
    for file in files:
        with progress() as display:
            task = display.add_task(file.name, total=None)
            rows = bring_back(warehouse, file, lambda read, task=task: display.update(task, completed=read))
        say_done(f"{rows:,} events of {file} are back")
