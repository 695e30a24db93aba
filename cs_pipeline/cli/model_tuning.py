"""`model tune`, `model steadiness`: try other weights, or steadier bands. Nothing is applied."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import FirstBuiltWeek, LastBuiltWeek, ModelName
from cs_pipeline.cli.console import console, print_frame, progress, say_done, status
from cs_pipeline.cli.listing import AsJson, print_json
from cs_pipeline.cli.model_design import (
    EveryWeeks,
    LeadWeeks,
    MaxTenure,
    MinTenure,
    OutcomeName,
    WithinDays,
    design_of_options,
    require_place_of_model,
)
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    from cs_pipeline.backtest.measures import TooLittle


def steadiness(
    model: ModelName,
    from_: FirstBuiltWeek = None,
    to: LastBuiltWeek = None,
    as_json: AsJson = False,
) -> None:
    """Compare settings of `steadiness`: triggers saved, and departures announced later.

    Example: cs-pipeline model steadiness weekly_points --from 2024-06-03
    """
    from cs_pipeline.backtest.observations import design_within_marts
    from cs_pipeline.backtest.steadiness import steadiness_report
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.health.library import find_score_models
    from cs_pipeline.reports.backtest.tables import settings_side_by_side
    from cs_pipeline.reports.backtest.text import steadiness_verdict

    settings = load_settings()
    (chosen,) = find_score_models([model], settings.config)
    warehouse = start_warehouse(settings)
    design = design_within_marts(warehouse, from_.date() if from_ else None, to.date() if to else None)
    with _weeks(design.first, design.last) as on_week:
        report = steadiness_report(warehouse, chosen, design.first, design.last, on_week)
    if as_json:
        print_json(settings_side_by_side(report))
        return
    weeks = f", weeks {report.first} to {report.last}; {report.departures:,} accounts left."
    console.print(Text.assemble((chosen.title, "bold"), weeks))
    print_frame(settings_side_by_side(report))
    console.print(Text(steadiness_verdict(report)))


def tune(
    model: ModelName,
    from_: FirstBuiltWeek = None,
    to: LastBuiltWeek = None,
    lead: LeadWeeks = None,
    every: EveryWeeks = None,
    within: WithinDays = None,
    min_tenure: MinTenure = None,
    max_tenure: MaxTenure = None,
    outcome: OutcomeName = "departure",
    output: Annotated[Path | None, typer.Option(help="Write the model here; its name is the file's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Propose other weights for a score model, with reasons; applies nothing.

    Example: cs-pipeline model tune weekly_points --output weekly_points_tuned.yaml
    """
    from cs_pipeline.backtest.measures import TooLittle
    from cs_pipeline.backtest.tuning import tune as propose
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.health.library import find_score_models, read_score_model
    from cs_pipeline.health.reweighting import as_yaml
    from cs_pipeline.reports.backtest.tables import beside_present_weights, weights
    from cs_pipeline.reports.backtest.text import coverage_kept, tuning_verdict

    settings = load_settings()
    (chosen,) = find_score_models([model], settings.config)
    if output is not None:
        require_place_of_model(output)
    warehouse = start_warehouse(settings)
    design = design_of_options(
        warehouse,
        from_,
        to,
        lead=lead,
        every=every,
        within=within,
        min_tenure=min_tenure,
        max_tenure=max_tenure,
        outcome=outcome,
    )
    with status(Text(f"Fitting the weights of {chosen.model}")):
        found = propose(warehouse, chosen, design)
    if isinstance(found, TooLittle):
        _say_no_proposal(found, as_json)
        return
    proposed = as_yaml(found.named(output.stem if output else f"{chosen.model}_tuned"))
    if output is not None:
        output.write_text(proposed, encoding="utf-8")
        read_score_model(output)
    if as_json:
        print_json(weights(found))
        return
    console.print(Text(f"{chosen.title}: learned from {found.learned_from:,} accounts that left, {design.words}."))
    if found.known_departures.words:
        console.print(Text(found.known_departures.words))
    print_frame(weights(found))
    console.print()
    print_frame(beside_present_weights(found))
    console.print(Text(tuning_verdict(found)))
    console.print(Text(coverage_kept(found.coverage)))
    if output is not None:
        say_done(f"{output}; nothing uses it until it is among the score models and selected")
    else:
        console.print()
        print(proposed, end="")  # noqa: T201 - a file's content, as it is


def _say_no_proposal(found: "TooLittle", as_json: bool) -> None:
    if as_json:
        print_json([])
    else:
        console.print(Text(f"No proposal: {found}"))


@contextmanager
def _weeks(first: date, last: date) -> Iterator[Callable[[date], None]]:
    """A progress display that is told each week when it is done."""
    total = (last - first).days // 7 + 1
    with progress() as display:
        task = display.add_task("Scoring weeks in memory", total=total)
        yield lambda week: display.update(task, advance=1, description=f"Week {week}")
