"""`up`, `down`, `doctor`, `env`: start, stop and check the product on this machine."""

import shlex

import typer
from rich.table import Table
from rich.text import Text

from cs_pipeline.cli.console import console
from cs_pipeline.cli.listing import AsJson, print_json
from cs_pipeline.settings import load_settings

MARKS = {"ok": Text("✓", "green"), "note": Text("•", "yellow"), "wrong": Text("✗", "red")}


def up() -> None:
    """Start PostgreSQL, the Dagster UI, its daemon and the customer-success site."""
    from cs_pipeline.cli.services import start_all

    start_all(load_settings())


def down() -> None:
    """Stop everything that `up` started, cleanly."""
    from cs_pipeline.cli.services import stop_all

    stop_all(load_settings())


def doctor(as_json: AsJson = False) -> None:
    """Check what is configured, reachable and missing, and say what to do.

    Exit code 1 when something is wrong.
    """
    from cs_pipeline.cli.doctor.examine import examine

    findings = list(examine(load_settings()))
    wrong = sum(finding.state == "wrong" for finding in findings)
    if as_json:
        print_json(findings)
    else:
        table = Table(box=None, show_header=False, padding=(0, 1))
        for finding in findings:
            table.add_row(MARKS[finding.state], finding.subject, finding.words)
        console.print(table)
        if wrong:
            console.print(Text(f"{wrong} to put right.", "red"))
    if wrong:
        raise typer.Exit(1)


def env() -> None:
    """Print the variables by which plain dagster and dbt find data and project.

    Example: eval "$(cs-pipeline env)"
    """
    from cs_pipeline.cli.services import environment_for, prepare_dagster_home
    from cs_pipeline.warehouse.dbt_folder import dbt_folder
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    prepare_dagster_home(settings)
    warehouse = locate(settings)
    folder = str(dbt_folder(settings))
    project = {"DBT_PROJECT_DIR": folder, "DBT_PROFILES_DIR": folder}
    for name, value in (environment_for(settings, warehouse) | warehouse.dbt_environment() | project).items():
        print(f"export {name}={shlex.quote(value)}")  # noqa: T201 - for the shell, not for a person
