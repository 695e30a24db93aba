"""`model diff`: compare a score model with the present one before it is merged. Changes nothing."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import DAY
from cs_pipeline.cli.console import console, print_frame, progress, say_heading
from cs_pipeline.cli.listing import print_json
from cs_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from cs_pipeline.health.selection import Selection
    from cs_pipeline.health.specification import ScoreModel
    from cs_pipeline.plays.simulation.model_diff import ModelChange
    from cs_pipeline.warehouse.connection import Warehouse

MOST_MOVED = 15


def diff(
    model_file: Annotated[Path, typer.Argument(help="File of the score model that is to be merged.")],
    against: Annotated[
        str, typer.Option(help="Model to compare with, by name or file; without: the one that counts now.")
    ] = "",
    week: Annotated[
        datetime | None, typer.Option(formats=DAY, help="The Monday of the week; without: the newest built.")
    ] = None,
    weeks: Annotated[int, typer.Option(help="Weeks over which mail is counted.", min=1, max=52)] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for a check of a merge request.")] = False,
) -> None:
    """Compare a score model with the present one: bands, plays and mail that would change.

    Meant for before a merge. Changes nothing.

    Example: cs-pipeline model diff config/score_models/weekly_points.yaml --weeks 12
    """
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.health.library import read_score_model
    from cs_pipeline.health.selection import load_selection
    from cs_pipeline.plays.playbooks.reading import load_playbooks
    from cs_pipeline.plays.simulation.model_diff import compare_models

    settings = load_settings()
    new = read_score_model(model_file)
    playbooks = load_playbooks(settings.config)
    selection = load_selection(settings.config)
    warehouse = start_warehouse(settings)
    old = _present_model(warehouse, settings, selection, new, against)
    with progress() as display:
        task = display.add_task("Scoring weeks in memory", total=None)
        found = compare_models(
            warehouse,
            old,
            new,
            selection,
            playbooks,
            settings,
            week=week.date() if week else None,
            weeks=weeks,
            on_week=lambda each: display.update(task, advance=1, description=f"Week {each}"),
        )
    if as_json:
        print_json(found.document)
        return
    _print_change(found)


def _present_model(
    warehouse: "Warehouse", settings: Settings, selection: "Selection", new: "ScoreModel", against: str
) -> "ScoreModel":
    """The model to compare `new` with: as asked, else what its name scored, else its name's, else what counts.

    A model that is only computed beside the others is not what counts now, though it may bear the name: it is the file
    itself while somebody tries it out.
    """
    from cs_pipeline.health.library import find_score_models
    from cs_pipeline.history.model_registry import model_that_scored

    if against:
        return find_score_models([against], settings.config)[0]
    if scored := model_that_scored(warehouse, new.model):
        return scored
    counting = {model.model: model for model in selection.active_models}
    namesake = counting.get(new.model)
    if namesake is not None and namesake.version != new.version:
        return namesake
    return counting[selection.rules[-1].model]


def _print_change(found: "ModelChange") -> None:
    from cs_pipeline.reports.plays.text import model_diff_headline, model_diff_verdict

    for sentence in model_diff_headline(found):
        console.print(Text(sentence))
    if found.old.version == found.new.version:
        return
    say_heading("Bands")
    print_frame(found.bands)
    moved = found.moved.drop(columns=["from_severity", "to_severity"])
    if not moved.empty:
        say_heading("Who changes band", f", the largest {min(MOST_MOVED, len(moved))} of {len(moved):,}")
        print_frame(moved.head(MOST_MOVED))
    say_heading("Plays on the day of the change")
    print_frame(found.plays)
    say_heading("Plays and messages a week", f", over the {found.weeks} weeks up to {found.week}")
    print_frame(found.forecast)
    for sentence in model_diff_verdict(found):
        console.print(Text(sentence))
