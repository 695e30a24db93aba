"""Arguments and options that several commands take, so that they read the same everywhere."""

import getpass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cs_pipeline.errors import UserError

DAY = ["%Y-%m-%d"]
MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]

Who = Annotated[str, typer.Option("--by", help="Who decides; without: the user of this machine.")]
Limit = Annotated[int, typer.Option(help="How many to show.", min=1)]
ActionIds = Annotated[list[int], typer.Argument(help="Ids of actions, as `cs-pipeline action list` prints them.")]
PlaybookName = Annotated[str, typer.Argument(help="Name of the playbook, as `cs-pipeline play list` prints it.")]
RuleName = Annotated[str, typer.Argument(help="Name of the rule, as `cs-pipeline alert rules` prints it.")]
AlertIds = Annotated[list[int], typer.Argument(help="Ids of alerts, as `cs-pipeline alert list` prints them.")]
ModelName = Annotated[str, typer.Argument(help="Score model, by name or file.")]
FirstWeek = Annotated[datetime, typer.Option("--from", formats=DAY, help="First week: the Monday it starts.")]
LastWeek = Annotated[datetime, typer.Option("--to", formats=DAY, help="Last week: the Monday it starts.")]
FirstBuiltWeek = Annotated[
    datetime | None, typer.Option("--from", formats=DAY, help="First week, a Monday; without: the first built.")
]
LastBuiltWeek = Annotated[
    datetime | None, typer.Option("--to", formats=DAY, help="Last week, a Monday; without: the last built.")
]


def who_decides(by: str) -> str:
    """The name given with --by, or that of the user of this machine."""
    return by or getpass.getuser()


def require_folder_of(output: Path | None) -> None:
    """Raise UserError unless the file given with --output, if any, can be written: its folder exists."""
    if output is not None and not output.absolute().parent.is_dir():
        raise UserError(f"{output.absolute().parent} is not a folder; --output needs one that exists")
