"""`load`, `map` and the group `data`: bring data in, and show what was put aside."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from cs_pipeline.cli.arguments import Limit
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, progress, say_done
from cs_pipeline.cli.data_months import archive, months, restore
from cs_pipeline.cli.listing import AsJson, as_plain, print_json
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    from cs_pipeline.warehouse.load_report import LoadReport, OnProgress, Progress

commands = new_group("Land files of any form, read what was rejected, put old months of events away.")

Folder = Annotated[Path, typer.Argument(help="Folder to read.", exists=True, file_okay=False)]
Delimiter = Annotated[
    str, typer.Option(help="What separates columns: comma, semicolon, tab, pipe or a character. Else by file name.")
]
REASONS_SHOWN = 3
VALUE_SHOWN = 60  # characters


def load(folder: Folder, delimiter: Delimiter = "", as_json: AsJson = False) -> None:
    """Load canonical CSV or Parquet files, checked against the source contract.

    Rows that break the contract are put aside. Loading twice changes nothing.

    Example: cs-pipeline load exports/
    """
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.warehouse.load import load_folder
    from cs_pipeline.warehouse.source_files import delimiter_of

    separated_by = delimiter_of(delimiter)
    warehouse = start_warehouse(load_settings())
    with _load_progress() as on_progress:
        report = load_folder(warehouse, folder, delimiter=separated_by, on_progress=on_progress)
    _print(report, as_json)


@commands.command()
def land(folder: Folder, delimiter: Delimiter = "", as_json: AsJson = False) -> None:
    """Load files of any form as they are into the schema `landing`, for mappings to read.

    Example: cs-pipeline data land exports/ --delimiter semicolon
    """
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.warehouse.land import land_folder
    from cs_pipeline.warehouse.source_files import delimiter_of, left_out

    separated_by = delimiter_of(delimiter)
    warehouse = start_warehouse(load_settings())
    with _load_progress() as on_progress:
        landed = land_folder(warehouse, folder, delimiter=separated_by, on_progress=on_progress)
    if as_json:
        print_json(landed)
        return
    table = _table("table", "rows", "put aside", "columns")
    for each in landed:
        table.add_row(f"landing.{each.table}", f"{each.rows:,}", f"{each.rejected:,}", ", ".join(each.columns))
    console.print(table)
    for passed_over in left_out(folder, separated_by):
        console.print(Text(f"Left out: {passed_over}", style="yellow"))
    if any(each.rejected for each in landed):
        console.print("Lines that are no rows were put aside; `cs-pipeline data rejects` shows them.")


@commands.command()
def ingest() -> None:
    """Have dlt land what is new at the sources of `ingest.py`, and map it (docs/ingest.md).

    Example: cs-pipeline data ingest
    """
    from cs_pipeline.cli.runtime import open_runtime
    from cs_pipeline.orchestration.ingest_definitions import FILE
    from cs_pipeline.orchestration.keys import INGEST_JOB

    settings = load_settings()
    if settings.config is None or not (settings.config / FILE).is_file():
        where = settings.config or "CS_PIPELINE_CONFIG, which names no folder"
        raise UserError(f"There is no {FILE} in {where}: it says what is to be read (docs/ingest.md).")
    with open_runtime(settings) as runtime:
        done = runtime.launcher.run(INGEST_JOB)
    table = _table("table", "rows", "loaded", "put aside")
    for event in done.get_asset_materialization_events():
        made = event.materialization
        counts = {name: made.metadata[name].value for name in made.metadata if name.startswith("rows")}
        shown = [counts.get("rows read", counts.get("rows_loaded", 0))]
        shown += [counts.get("rows loaded"), counts.get("rows put aside")]  # of mapped tables
        table.add_row(".".join(made.asset_key.path), *("" if each is None else f"{each:,}" for each in shown))
    console.print(table)


def map_tables(
    folder: Folder,
    stamp_arrivals: Annotated[
        bool,
        typer.Option("--stamp-arrivals", help="Write the present as arrival of rows that have none; never at first."),
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Read every row, also of mappings that say what is new.")
    ] = False,
    remove_vanished: Annotated[
        list[str] | None,
        typer.Option(
            help="Delete rows of this table that mappings brought before and do not bring any more; again for more."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Install mappings (SQL selects for canonical tables) and load their rows.

    Example: cs-pipeline map mappings/
    """
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.warehouse.mapping import install_mappings
    from cs_pipeline.warehouse.mapping_sync import sync_mappings

    settings = load_settings()
    warehouse = start_warehouse(settings)
    installed = install_mappings(warehouse, folder)
    for mapping in () if as_json else installed:
        left_out = f", leaves out {', '.join(mapping.left_out)}" if mapping.left_out else ""
        say_done(f"mapping.{mapping.name}{left_out}")
    stamp = Clock(settings.now).now() if stamp_arrivals else None
    with _load_progress() as on_progress:
        report = sync_mappings(
            warehouse, stamp=stamp, whole=full, remove_vanished_of=remove_vanished or (), on_progress=on_progress
        )
    _print(report, as_json)
    if not as_json:
        _say_what_vanished(report, folder)


@commands.command()
def rejects(
    table: Annotated[str, typer.Option(help="Only rows of this canonical table.")] = "",
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Show the rows and values that broke the source contract, and why.

    Example: cs-pipeline data rejects --table subscriptions
    """
    from cs_pipeline.warehouse.locate import locate
    from cs_pipeline.warehouse.rejects import count_rejects, read_rejects

    warehouse = locate(load_settings())
    if as_json:
        print_json(read_rejects(warehouse, table or None, limit))
        return
    counts = count_rejects(warehouse, table or None)
    if not counts:
        console.print("No row broke the contract.")
        return
    totals = _table("table", "rows", "reason")
    for count in counts:
        stays = "  (the row stays)" if count.row_kept else ""
        totals.add_row(count.table, f"{count.rows:,}", f"{count.column or ''} {count.reason}{stays}".strip())
    console.print(totals)
    rows = _table("column", "value", "reason", "file or mapping", "line", "row")
    for reject in read_rejects(warehouse, table or None, limit):
        shown = ", ".join(f"{name}={value}" for name, value in reject.row.items() if value not in (None, ""))
        if reject.rows > 1:
            shown = f"{reject.rows:,} more, counted and not kept"
        rows.add_row(
            Text(reject.column or "", overflow="fold"),
            Text(_shortened(reject.value), overflow="fold"),
            Text(reject.reason, overflow="fold"),
            Text(Path(reject.origin).name, overflow="fold"),
            "" if reject.line is None else str(reject.line),
            Text(shown, overflow="ellipsis", no_wrap=True),
        )
    console.print()
    console.print(rows)


def _shortened(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= VALUE_SHOWN else text[:VALUE_SHOWN] + "…"


@commands.command()
def generate(
    folder: Annotated[Path, typer.Argument(help="Folder to write; created when missing.")],
    accounts: Annotated[int, typer.Option(help="Number of accounts.", min=1)] = 300,
    weeks: Annotated[int, typer.Option(help="Weeks of history.", min=20)] = 80,
    seed: Annotated[int, typer.Option(help="Same seed, same company.", min=0)] = 7,
    events_scale: Annotated[float, typer.Option(help="How many events; 1 is ordinary.", min=0, max=20)] = 1.0,
) -> None:
    """Write a sample company as canonical Parquet files, and its planted truth beside them.

    Example: cs-pipeline data generate sample/ --accounts 1000 --weeks 104
    """
    from cs_pipeline.demo.company import SampleCompany
    from cs_pipeline.demo.generate import generate as write_company

    company = SampleCompany(accounts=accounts, weeks=weeks, seed=seed, events_scale=events_scale)
    with progress() as display:
        task = display.add_task("Accounts", total=company.blocks)

        def show(done: int, total: int) -> None:
            display.update(task, completed=done, total=total)

        write_company(folder, company, on_progress=show)
    say_done(f"{accounts:,} accounts, weeks {company.first_week} to {company.ends_on}, in {folder}")


for _command in (months, archive, restore):
    commands.command()(_command)


@contextmanager
def _load_progress() -> "Iterator[OnProgress]":
    """Progress of a load, a line a table."""
    with progress() as display:
        tasks: dict[str, int] = {}

        def show(now: "Progress") -> None:
            if now.table not in tasks:
                tasks[now.table] = display.add_task(now.table, total=100)
            words = f"{now.table}: {now.stage}, {now.rows:,} rows"
            done = 100 if now.stage == "done" else 99 * now.fraction
            display.update(tasks[now.table], description=words, completed=int(done))  # pyright: ignore[reportArgumentType]

        yield show


def _print(report: "LoadReport", as_json: bool) -> None:
    from cs_pipeline.warehouse.kept_rejects import MOST_KEPT

    if as_json:
        print_json([{**as_plain(each), "rows_unchanged": each.rows_unchanged} for each in report.tables])
        return
    table = _table("table", "read", "loaded", "unchanged", "rejected", "seconds", "why put aside")
    for each in report.tables:
        reasons = "; ".join(str(reason) for reason in each.reasons[:REASONS_SHOWN])
        table.add_row(
            each.table,
            f"{each.rows_read:,}",
            f"{each.rows_loaded:,}",
            f"{each.rows_unchanged:,}",
            Text(f"{each.rows_rejected:,}", style="yellow" if each.rows_rejected else ""),
            f"{each.seconds:.1f}",
            Text(reasons),
        )
    console.print(table)
    console.print(
        f"{report.rows_read:,} rows read: {report.rows_loaded:,} loaded, {report.rows_unchanged:,} unchanged, "
        f"{report.rows_rejected:,} put aside in raw.raw_rejects"
        + (" (`cs-pipeline data rejects` shows them)" if report.rows_rejected else "")
    )
    news = [f"{each.table} (since {each.since:%Y-%m-%d %H:%M})" for each in report.tables if each.since]
    if news:
        console.print(f"Only what is new was read of {', '.join(news)}; --full reads everything")
    if any(each.rows_rejected > MOST_KEPT for each in report.tables):
        console.print(f"Of each file the first {MOST_KEPT:,} rejects are kept; the rest is counted.")
    if report.values_put_aside:
        console.print(
            f"{report.values_put_aside:,} values were put aside by themselves; their rows are loaded without them"
        )
    if report.rows_fallen:
        console.print(
            f"{report.rows_fallen:,} of the rejected rows are sound themselves: "
            "they fell because their account, or their user, was put aside"
        )


def _say_what_vanished(report: "LoadReport", folder: Path) -> None:
    for each in report.tables:
        if each.rows_removed:
            say_done(f"{each.rows_removed:,} rows of {each.table} removed that no mapping brings any more")
        if each.rows_vanished:
            words = (
                f"{each.rows_vanished:,} rows of {each.table} came with an earlier reading and not with this one: "
                "deleted or put aside since, or their keys have changed and each is there twice. They stay and count; "
                f"`cs-pipeline map {folder} --remove-vanished {each.table}` removes them"
            )
            console.print(Text(f"! {words}", style="yellow"))


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    numbers = {"read", "loaded", "unchanged", "rejected", "seconds", "rows", "line"}
    for heading in headings:
        table.add_column(heading, header_style="dim", justify="right" if heading in numbers else "left")
    return table
