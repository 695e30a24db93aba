"""`model fit`: make a score model from what happened. Applies nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import FirstBuiltWeek, LastBuiltWeek
from cs_pipeline.cli.console import console, print_frame, progress, say_done, say_heading
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
    from cs_pipeline.fitting.fit import FittedModel


def fit(
    output: Annotated[
        Path | None, typer.Option(help="Write the model here; its name is the file's. Without: print it.")
    ] = None,
    from_: FirstBuiltWeek = None,
    to: LastBuiltWeek = None,
    lead: LeadWeeks = None,
    every: EveryWeeks = None,
    within: WithinDays = None,
    min_tenure: MinTenure = None,
    max_tenure: MaxTenure = None,
    outcome: OutcomeName = "departure",
    keep: Annotated[
        list[str] | None, typer.Option(help="Metric to take instead of those that say the same. [repeatable]")
    ] = None,
    leave_out: Annotated[list[str] | None, typer.Option(help="Metric that it must not have. [repeatable]")] = None,
    most: Annotated[int, typer.Option(help="Most metrics that it has.", min=1, max=20)] = 8,
    resamplings: Annotated[int, typer.Option(help="How often it is made again, to see what is stable.", min=0)] = 100,
    as_json: AsJson = False,
) -> None:
    """Make a score model from your own departures; applies nothing.

    Judged on weeks that it has not learned from, beside baselines and the models that there are.

    Example: cs-pipeline model fit --output our_points.yaml
    """
    from cs_pipeline.backtest.measures import TooLittle
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.fitting.fit import fit_model
    from cs_pipeline.health.library import read_score_model
    from cs_pipeline.health.reweighting import as_yaml
    from cs_pipeline.health.selection import load_selection
    from cs_pipeline.reports.backtest import fitted

    settings = load_settings()
    if output is not None:
        require_place_of_model(output)
    others = load_selection(settings.config).models
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
    with progress() as display:
        task = display.add_task("Fitting, then fitting again on resampled accounts", total=resamplings)
        found = fit_model(
            warehouse,
            design,
            output.stem if output else "fitted",
            others,
            most=most,
            keep=keep or (),
            leave_out=leave_out or (),
            resamplings=resamplings,
            on_resampled=lambda: display.update(task, advance=1),
        )
    if isinstance(found, TooLittle):
        print_json({"too_little": found.reason}) if as_json else console.print(Text(f"No model: {found}."))
        return
    text = as_yaml(found.model)
    if output is not None:
        output.write_text(text, encoding="utf-8")
        read_score_model(output)
    if as_json:
        print_json(fitted.as_object(found))
        return
    _print_fitted(found)
    if settings.late_rows == "include":
        console.print(
            Text(
                "Weeks are built with rows that arrived after they had ended (late_rows: include): what was known only "
                "afterwards may be among them. Build them with `cs-pipeline backfill --late-rows exclude` first"
            )
        )
    if output is None:
        console.print()
        print(text, end="")  # noqa: T201 - a file's content, as it is
        return
    say_done(f"{output}; nothing uses it until it is among the score models and selected")
    console.print(Text(f"See who would move, and which plays would start: cs-pipeline model diff {output}"))


def _print_fitted(found: "FittedModel") -> None:
    from cs_pipeline.reports.backtest import fitted

    for sentence in fitted.said(found):
        console.print(Text(sentence))
    say_heading("Points", ", and how they hold when accounts are drawn anew")
    print_frame(fitted.points(found))
    say_heading("Bands", ", cut from the earlier part: how many observations a departure followed")
    print_frame(fitted.bands(found))
    say_heading(f"On weeks it has not learned from, {found.split.test_from.date()} and later")
    print_frame(fitted.beside(found))
    if not (warning := fitted.warning(found)).empty:
        say_heading("Weeks of warning", ", on the same weeks")
        print_frame(warning)
    if found.judged.parts:
        say_heading("Segments and cohorts", ", on the same weeks")
        print_frame(fitted.parts(found))
    if found.questions:
        say_heading("To be decided by you")
        for question in found.questions:
            console.print(Text(question))
    say_heading("Left out")
    print_frame(fitted.left_out(found))
