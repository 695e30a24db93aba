"""`model`: the score models: versions that scored, and what another model or other weights would do."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import (
    DAY,
    FirstBuiltWeek,
    FirstWeek,
    LastBuiltWeek,
    LastWeek,
    ModelName,
    require_folder_of,
)
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, print_frame, progress, say_done, say_heading
from cs_pipeline.cli.model_backtest import backtest
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from cs_pipeline.health.selection import Selection
    from cs_pipeline.health.specification import ScoreModel
    from cs_pipeline.plays.simulation.model_diff import ModelChange
    from cs_pipeline.warehouse.connection import Warehouse

MOST_MOVED = 15

commands = new_group("Compare, backtest and tune score models, and score weeks by another one.")
commands.command()(backtest)


@commands.command("list")
def list_models() -> None:
    """List every version of every model that ever scored a week: which weeks, how many rows, how many count."""
    from cs_pipeline.reports.scores.queries import model_versions
    from cs_pipeline.warehouse.locate import locate

    rows = model_versions(locate(load_settings()))
    if rows.empty:
        console.print("No week is scored yet.")
        return
    narrow = {"first_week": "first", "last_week": "last", "counts_in": "counts", "mean_score": "mean"}
    print_frame(rows.assign(scored_at=rows["scored_at"].dt.date).rename(columns=narrow))


@commands.command()
def rescore(
    model: ModelName,
    from_: FirstWeek,
    to: LastWeek,
    cohort: Annotated[str, typer.Option(help="Only accounts that signed up in this month, as 2024-03.")] = "",
    segment: Annotated[str, typer.Option(help="Only accounts of this tier: starter, pro or enterprise.")] = "",
) -> None:
    """Score weeks by one more model, beside what counts: nothing that counts changes, nobody is contacted."""
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.health.library import find_score_model
    from cs_pipeline.history.rescoring import rescore as score_beside
    from cs_pipeline.history.scope import Scope
    from cs_pipeline.history.week_summary import WeekSummary
    from cs_pipeline.history.weeks import weeks_between

    settings = load_settings()
    asked = find_score_model(model, settings.config)
    scope = Scope.parse(cohort=cohort, segment=segment)
    weeks = len(weeks_between(from_.date(), to.date()))
    with progress() as display:
        task = display.add_task("Scoring", total=weeks)

        def show(week: WeekSummary) -> None:
            display.update(task, description=f"Week {week.week}", advance=1)

        done = score_beside(start_warehouse(settings), asked, from_.date(), to.date(), scope, on_week=show)
    rows = sum(week.by_model[asked.model].accounts for week in done)
    if not rows:
        console.print(f"No rows to write: version {asked.version} of {asked.model} counts there already, or no account")
        return
    say_done(f"{rows:,} scores in {weeks} weeks, beside what counts; to read them:")
    console.print(Text(f"  select * from cs.scores_of('{asked.model}', '{asked.version}')"))


@commands.command()
def steadiness(
    model: ModelName,
    from_: FirstBuiltWeek = None,
    to: LastBuiltWeek = None,
) -> None:
    """Say what steadier bands would have saved in triggers, and which departures they would have told later."""
    from cs_pipeline.backtest.observations import design_within_marts
    from cs_pipeline.backtest.steadiness import conclusion, steadiness_report
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.health.library import find_score_models

    settings = load_settings()
    (chosen,) = find_score_models([model], settings.config)
    warehouse = start_warehouse(settings)
    design = design_within_marts(warehouse, from_.date() if from_ else None, to.date() if to else None)
    with _weeks(design.first, design.last) as on_week:
        report = steadiness_report(warehouse, chosen, design.first, design.last, on_week)
    weeks = f", weeks {report.first} to {report.last}; {report.departures:,} accounts left."
    console.print(Text.assemble((chosen.title, "bold"), weeks))
    print_frame(report.frame)
    console.print(Text(conclusion(report)))


@commands.command()
def tune(
    model: ModelName,
    from_: FirstBuiltWeek = None,
    to: LastBuiltWeek = None,
    output: Annotated[Path | None, typer.Option(help="Write the model here; its name is the file's.")] = None,
) -> None:
    """Propose other weights for a score model, with reasons, beside the present ones. Nothing is applied."""
    from cs_pipeline.backtest.measures import TooLittle
    from cs_pipeline.backtest.observations import design_within_marts
    from cs_pipeline.backtest.tuning import tune as propose
    from cs_pipeline.backtest.tuning import verdict
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.health.library import find_score_models, read_score_model
    from cs_pipeline.health.reweighting import as_yaml

    settings = load_settings()
    (chosen,) = find_score_models([model], settings.config)
    if output is not None:
        _require_place(output)
    warehouse = start_warehouse(settings)
    design = design_within_marts(warehouse, from_.date() if from_ else None, to.date() if to else None)
    with console.status(Text(f"Fitting the weights of {chosen.model}")):
        found = propose(warehouse, chosen, design)
    if isinstance(found, TooLittle):
        console.print(Text(f"No proposal: {found}"))
        return
    console.print(Text(f"{chosen.title}: learned from {found.learned_from:,} accounts that left, {design.words}."))
    print_frame(found.weights_frame)
    console.print()
    print_frame(found.later_frame)
    console.print(Text(verdict(found)))
    proposed = as_yaml(found.named(output.stem if output else f"{chosen.model}_tuned"))
    if output is None:
        console.print()
        print(proposed, end="")  # noqa: T201 - a file's content, as it is
        return
    output.write_text(proposed, encoding="utf-8")
    read_score_model(output)
    say_done(f"{output}; nothing uses it until it is among the score models and selected")


@commands.command()
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
    """Say before a score model is merged who would change band, which plays would start or stop, and how much mail."""
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.health.library import read_score_model
    from cs_pipeline.health.selection import load_selection
    from cs_pipeline.plays.playbooks.schema import load_playbooks
    from cs_pipeline.plays.simulation.model_diff import compare_models

    settings = load_settings()
    new = read_score_model(model_file)
    playbooks = load_playbooks(settings.config)
    selection = load_selection(settings.config)
    warehouse = start_warehouse(settings)
    old = _present_model(warehouse, settings, selection, new, against)
    with _weeks() as on_week:
        found = compare_models(
            warehouse,
            old,
            new,
            selection,
            playbooks,
            settings,
            week=week.date() if week else None,
            weeks=weeks,
            on_week=on_week,
        )
    if as_json:
        print(json.dumps(found.document, indent=2, allow_nan=False))  # noqa: T201 - for a program, not for a person
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
    from cs_pipeline.reports.plays.model_diff_text import headline, verdict_on_plays

    for sentence in headline(found):
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
    for sentence in verdict_on_plays(found):
        console.print(Text(sentence))


def _require_place(output: Path) -> None:
    """Raise UserError unless a model can be written there and be read again."""
    if output.suffix != ".yaml" or not re.fullmatch(r"[a-z][a-z0-9_]*", output.stem):
        raise UserError(f"{output.name} is no name of a score model; expected one like weekly_points_tuned.yaml")
    if output.exists():
        raise UserError(f"{output} is there already; a proposal does not take the place of a model")
    require_folder_of(output)


@contextmanager
def _weeks(first: date | None = None, last: date | None = None) -> Iterator[Callable[[date], None]]:
    """A progress display that is told each week when it is done."""
    total = None if first is None or last is None else (last - first).days // 7 + 1
    with progress() as display:
        task = display.add_task("Scoring weeks in memory", total=total)
        yield lambda week: display.update(task, advance=1, description=f"Week {week}")
