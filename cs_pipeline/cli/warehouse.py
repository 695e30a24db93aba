"""`warehouse`: bring the tables to the newest version, spread them over servers, keep them from growing for ever."""

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, say_done, status
from cs_pipeline.cli.listing import AsJson, print_list
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    from cs_pipeline.warehouse.connection import Warehouse
    from cs_pipeline.warehouse.migrate import Version

commands = new_group("Upgrade the database, spread it over servers, say what is large, delete old runs.")


@commands.command("migrate")
def migrate_all(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be applied.")] = False,
    while_running: Annotated[
        bool, typer.Option("--while-running", help="Do not refuse beside a daemon or runs (UPGRADING.md says when).")
    ] = False,
) -> None:
    """Bring our tables and Dagster's to the version of this code; refuses while a daemon or runs are at work.

    Interrupted, it is run again and goes on. Example: cs-pipeline warehouse migrate --dry-run
    """
    from cs_pipeline.cli.services import prepare_dagster_home
    from cs_pipeline.orchestration.instance_migration import version_of_dagster
    from cs_pipeline.warehouse.locate import embedded_server, locate
    from cs_pipeline.warehouse.migrate import migrate, version_of

    settings = load_settings()
    if settings.database_url is None:
        embedded_server(settings).start()
    warehouse = locate(settings)
    prepare_dagster_home(settings)
    ours, dagsters = version_of(warehouse), version_of_dagster(warehouse)
    if not (dry_run or while_running or (ours.is_newest and dagsters.is_newest)):
        _require_quiet(warehouse)
    if not dry_run and not ours.is_newest:
        migrate(warehouse)
    _say("Our tables", ours, dry_run)
    if not dry_run and not dagsters.is_newest:
        _migrate_dagster(warehouse)
    _say("Dagster's tables", dagsters, dry_run)


@commands.command()
def ready(
    wait: Annotated[float, typer.Option(help="Wait so many seconds for it.", min=0)] = 0,
) -> None:
    """Check that the database answers and has the tables of this code; exit code 1 when not.

    For containers that are to start after the migration. Example: cs-pipeline warehouse ready --wait 120
    """
    from cs_pipeline.warehouse.locate import locate
    from cs_pipeline.warehouse.readiness import wait_until_ready

    wait_until_ready(locate(load_settings()), wait)
    say_done("The database is ready")


@commands.command()
def purge(
    days: Annotated[int | None, typer.Option(help="Keep the last so many days.", min=35, show_default="90")] = None,
) -> None:
    """Delete runs that ended long ago from Dagster's log, as `purge_runs_schedule` does every night.

    The newest materialization of every asset and partition stays, and so do runs under way.
    """
    from cs_pipeline.orchestration.purge_runs import purge_runs
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    before = Clock(settings.now).now() - timedelta(days=days or settings.runs_kept_days)
    say_done(purge_runs(locate(settings), before).words)


@commands.command()
def size(as_json: AsJson = False) -> None:
    """List the tables of the pipeline and of Dagster by their size on disk, largest first."""
    from cs_pipeline.orchestration.instance_storage import schema_of_dagsters_tables
    from cs_pipeline.warehouse.locate import locate
    from cs_pipeline.warehouse.sizes import table_sizes

    warehouse = locate(load_settings())
    with warehouse.session() as session, session.cursor() as cursor:
        dagster = schema_of_dagsters_tables(cursor)
    print_list(table_sizes(warehouse, *([dagster] if dagster else [])), as_json, "There are no tables yet.")


@commands.command()
def distribute(
    apply: Annotated[bool, typer.Option("--apply", help="Move the tables; else only say where.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Bring every table back to the coordinator.")] = False,
    as_json: AsJson = False,
) -> None:
    """Spread the tables over the servers of a Citus, by account; without --apply say which, where to and why.

    Everything runs on spread tables; docs/deploy.md says what was tried, and what takes longer there. --undo brings
    them back. Refuses while a daemon or runs are at work. Interrupted, it is run again and goes on.
    Example: cs-pipeline warehouse distribute
    """
    import pandas as pd

    from cs_pipeline.warehouse import distribute as spreading
    from cs_pipeline.warehouse.locate import locate

    if apply and undo:
        raise UserError("--apply moves the tables and --undo brings them back: say one of them.")
    warehouse = locate(load_settings())
    if apply or undo:
        _require_quiet(warehouse, "")
        with status("Looking") as shown:

            def tell(stand: "spreading.Stand") -> None:
                shown.update(f"{stand.table}, {stand.rows:,} rows")

            moved = (spreading.undo if undo else spreading.distribute)(warehouse, tell)
        say_done(f"{moved:,} tables {'brought back' if undo else 'moved'}")
        if not as_json:
            return
    print_list(pd.DataFrame(spreading.plan(warehouse)), as_json, "There are no tables yet.")


def _require_quiet(
    warehouse: "Warehouse", otherwise: str = ", or use --while-running where UPGRADING.md allows it for this version"
) -> None:
    """Raise UserError where a daemon or a run is at work: new tables under old code would fail them."""
    from cs_pipeline.cli.daemon import DAEMON
    from cs_pipeline.orchestration.instance_migration import runs_under_way
    from cs_pipeline.warehouse.living import process_of
    from cs_pipeline.warehouse.relations import missing_relations

    with warehouse.session() as session:
        daemon = None if missing_relations(session, "cs.living_processes") else process_of(session, DAEMON)
    if daemon and daemon.is_alive:
        raise UserError(f"A daemon is at work: {daemon.words}. Stop it first{otherwise}.")
    if runs := runs_under_way(warehouse):
        raise UserError(f"Runs are under way: {runs:,}. Wait until they have ended{otherwise}.")


def _migrate_dagster(warehouse: "Warehouse") -> None:
    import dagster as dg

    from cs_pipeline.cli.services import environment_for
    from cs_pipeline.orchestration.instance_migration import migrate_dagster

    settings = load_settings()
    os.environ.update(environment_for(settings, warehouse))  # Dagster reads its instance from the environment
    with dg.DagsterInstance.get() as instance:
        migrate_dagster(warehouse, instance)


def _say(what: str, version: "Version", dry_run: bool) -> None:
    before = version.current or "nothing"
    if version.is_newest:
        console.print(f"{what} are at {version.newest}, the newest")
    elif dry_run:
        console.print(f"{what} would go from {before} to {version.newest}")
    else:
        say_done(f"{what} went from {before} to {version.newest}")
