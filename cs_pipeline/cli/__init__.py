"""The `cs-pipeline` command. Commands are thin: they read settings, call one function of another package, and print.

Dagster and dbt take seconds to import, so commands import what they need when they run.
"""

import logging
import os
import platform
import sys
import warnings
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer
from rich.text import Text

from cs_pipeline import __version__
from cs_pipeline.cli import (
    account,
    action,
    alert,
    backfill,
    connect,
    console,
    data,
    demo,
    feedback,
    init,
    kpi,
    model,
    person,
    play,
    report,
    score,
    server,
    task,
    user,
    warehouse,
)
from cs_pipeline.cli.command_group import PROGRAM, CommandGroup
from cs_pipeline.cli.console import errors
from cs_pipeline.cli.control_characters import escaped
from cs_pipeline.errors import UserError
from cs_pipeline.logs import LogFormat, set_up_logs
from cs_pipeline.settings import load_settings

log = logging.getLogger(PROGRAM)

VERSIONS_OF = ("dagster", "dbt-core", "dbt-postgres")
"""What an issue report should name, beside ours."""


def _print_versions(asked: bool) -> None:
    if asked:
        beside = ", ".join(f"{name} {version(name)}" for name in VERSIONS_OF)
        console.console.print(f"{PROGRAM} {__version__} ({beside}, Python {platform.python_version()})")
        raise typer.Exit


app = typer.Typer(
    name=PROGRAM,
    cls=CommandGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.callback()
def of_every_command(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the versions in use, and exit.", callback=_print_versions, is_eager=True),
    ] = False,
) -> None:
    """Customer-success pipeline: load data, score accounts week by week, run plays."""


for panel, commands in {
    "Run it": {
        "demo": demo.demo,
        "init": init.init,
        "up": server.up,
        "down": server.down,
        "doctor": server.doctor,
        "env": server.env,
    },
    "Every day": {
        "load": data.load,
        "connect": connect.connect,
        "map": data.map_tables,
        "backfill": backfill.backfill,
        "why": account.why,
        "queue": account.queue,
    },
}.items():
    for name, command in commands.items():
        app.command(name, rich_help_panel=panel)(command)

for name, room in {
    "play": play,
    "alert": alert,
    "report": report,
    "feedback": feedback,
    "kpi": kpi,
    "action": action,
    "model": model,
    "score": score,
    "data": data,
    "task": task,
    "person": person,
    "user": user,
    "warehouse": warehouse,
}.items():
    app.add_typer(room.commands, name=name, rich_help_panel="Groups of commands")


def main() -> None:
    """Run the command; an error a user can put right is one message and exit code 1."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries tell developers is not for those who operate
    log_format = _begin_logs()
    before = os.umask(0o077)  # what is written here names customers
    try:
        app()
    except UserError as error:
        _give_up(error, log_format)
    except KeyboardInterrupt:
        errors.print("Interrupted.")
        sys.exit(130)
    except Exception as error:
        from cs_pipeline.warehouse.refusals import in_words

        refusal = in_words(error) or _of_a_file(error) or _of_a_value(error)
        if refusal is None and log_format == "json":
            log.exception("%s failed", PROGRAM)
            sys.exit(1)
        if refusal is None:
            raise
        _give_up(refusal, log_format)
    finally:
        os.umask(before)


def _begin_logs() -> LogFormat:
    """Those of the settings; text where the settings are wrong, which the command says."""
    try:
        log_format = load_settings().log_format
    except UserError:
        return "text"
    if log_format == "json":
        set_up_logs(log_format)
    return log_format


def _give_up(error: UserError, log_format: LogFormat) -> NoReturn:
    if log_format == "json":
        log.error("%s", error)
        sys.exit(1)
    errors.print(Text.assemble(("Error:", "bold red"), " ", escaped(error)), soft_wrap=True)
    sys.exit(1)


def _of_a_value(error: Exception) -> UserError | None:
    """Say in a sentence that an argument is no text, or beyond every calendar; None for any other error."""
    if isinstance(error, UnicodeEncodeError) and any("\ud800" <= sign <= "\udfff" for sign in error.object):
        return UserError(f"{error.object!r} holds bytes that are no UTF-8 text; what is given must be UTF-8.")
    if isinstance(error, OverflowError):
        return UserError(f"A number or a date lies too far away to reckon with ({error}).")
    return None


def _of_a_file(error: Exception) -> UserError | None:
    """Say in a sentence that a file cannot be read or written, or a disk is full; None for any other error."""
    if not isinstance(error, OSError) or error.filename is None:
        return None
    return UserError(
        f"{error.filename}: {error.strerror}. Give a path that can be read and written, and room on its disk."
    )
