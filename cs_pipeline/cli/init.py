"""`init`: write a team's own project."""

from pathlib import Path
from typing import Annotated

import typer

from cs_pipeline.cli.console import console, marked, say_done
from cs_pipeline.cli.listing import AsJson, print_json

COMMANDS = {
    "cs-pipeline doctor": "reads every file there, and says what is wrong",
    "cs-pipeline connect --list": "tools whose tables it knows; then `connect TOOL`, and `map mapping`",
    "cs-pipeline up": "starts PostgreSQL, Dagster and the site",
}
"""What to do next, in the folder; its README says the same."""


def init(
    folder: Annotated[Path, typer.Argument(help="Where to; made if need be.", file_okay=False)] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a project of your own: settings, score model, play, alert rule, dbt models.

    With them come pyproject.toml, workspace.yaml, tests and a workflow that checks every change.

    Example: cs-pipeline init customer-success
    """
    from cs_pipeline.starter.write import write_project

    files = write_project(folder, force=force)
    if as_json:
        print_json(files)
        return
    for each in files:
        say_done(each.file, "" if each.state == "written" else "  kept as it is")
    console.print(marked("Next, in [bold]{}[/]; its README.md says what each file is for:", folder.resolve()))
    for command, words in COMMANDS.items():
        console.print(marked("  [bold]{}[/]  {}", command.ljust(max(map(len, COMMANDS))), words))
