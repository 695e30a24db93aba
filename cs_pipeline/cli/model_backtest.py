"""`model backtest`: measure how well score models knew who would leave."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from cs_pipeline.cli.arguments import FirstBuiltWeek, LastBuiltWeek, require_folder_of
from cs_pipeline.cli.console import console, progress, say_done, say_heading
from cs_pipeline.cli.listing import AsJson, print_json
from cs_pipeline.cli.model_design import (
    EveryWeeks,
    LeadWeeks,
    MaxTenure,
    MinTenure,
    OutcomeName,
    WithinDays,
    design_of_options,
)
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    import pandas as pd

    from cs_pipeline.backtest.comparison import Backtest

COLOURS = {"good": "green", "useful": "green", "weak": "yellow", "poor": "red", "unknown": "dim"}


def backtest(
    models: Annotated[list[str] | None, typer.Argument(help="Score models, by name or file; none: all.")] = None,
    from_: FirstBuiltWeek = None,
    to: LastBuiltWeek = None,
    lead: LeadWeeks = None,
    every: EveryWeeks = None,
    within: WithinDays = None,
    min_tenure: MinTenure = None,
    max_tenure: MaxTenure = None,
    outcome: OutcomeName = "departure",
    output: Annotated[Path | None, typer.Option(help="Write a page with charts here.", dir_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how well score models knew who would leave; changes nothing.

    Example: cs-pipeline model backtest weekly_points --lead 8 --output page.html
    """
    from cs_pipeline.backtest.comparison import backtest as hold_against_history
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.health.library import find_score_models
    from cs_pipeline.reports.backtest import tables

    settings = load_settings()
    chosen = find_score_models(models or [], settings.config)
    require_folder_of(output)
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
        task = display.add_task("Reading observations", total=len(chosen))
        judged = iter(range(len(chosen)))

        def show(model: str) -> None:
            display.update(task, description=model, completed=next(judged))

        found = hold_against_history(warehouse, chosen, design, on_model=show)
    if output is not None:
        from cs_pipeline.reports.backtest.page import backtest_page

        output.write_text(backtest_page(found), encoding="utf-8")
    if as_json:
        print_json(tables.as_objects(found))
        return
    _print_backtest(found)
    if output is not None:
        console.print()
        say_done(output)


def _print_backtest(found: "Backtest") -> None:
    from cs_pipeline.backtest.measures import TooLittle
    from cs_pipeline.reports.backtest import tables
    from cs_pipeline.reports.backtest.text import summary, verdict

    console.print(Text(summary(found)))
    for result in found.models:
        said = verdict(result)
        console.print(Text.assemble("\n", (result.model.model, "bold"), "  ", (said.headline, COLOURS[said.level])))
        for reason in said.reasons:
            console.print(Text(f"  {reason}"))
    _print("All weeks", tables.compared(found))
    _print(f"Beside the baselines, from {found.split.test_from.date()}", tables.beside_baselines(found))
    single = tables.best_single_metrics(found)
    if not isinstance(single, TooLittle):
        _print("Metrics that separate best by themselves", single)


def _print(title: str, rows: "pd.DataFrame") -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for position, heading in enumerate(rows.columns):
        table.add_column(str(heading), header_style="dim", no_wrap=position == 0)
    for row in rows.to_dict("records"):
        table.add_row(*(Text(str(value)) for value in row.values()))
    say_heading(title)
    console.print(table)
