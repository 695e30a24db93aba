"""`model`: list the versions of score models, score weeks by another one; compare, backtest, tune and fit."""

from typing import Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import FirstWeek, LastWeek, ModelName
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, print_frame, progress, say_done
from cs_pipeline.cli.listing import AsJson, print_list
from cs_pipeline.cli.model_backtest import backtest
from cs_pipeline.cli.model_diff import diff
from cs_pipeline.cli.model_fit import fit
from cs_pipeline.cli.model_retention import retention
from cs_pipeline.cli.model_tuning import steadiness, tune
from cs_pipeline.settings import load_settings

commands = new_group("Fit, compare, backtest and tune score models, and score weeks by another one.")


@commands.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List every version of every model that ever scored a week."""
    from cs_pipeline.reports.scores.queries import model_versions
    from cs_pipeline.warehouse.locate import locate

    rows = model_versions(locate(load_settings()))
    if as_json or rows.empty:
        print_list(rows, as_json, "No week is scored yet.")
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
    """Score weeks by one more model, beside the scores that count.

    Nothing that counts changes, and nobody is contacted.

    Example: cs-pipeline model rescore five_factor --from 2024-01-01 --to 2025-12-22
    """
    from cs_pipeline.backtest.calibrations import record_likelihoods
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

        warehouse = start_warehouse(settings)
        done = score_beside(warehouse, asked, from_.date(), to.date(), scope, on_week=show)
        display.update(task, description="Likelihoods of leaving")
        record_likelihoods(warehouse, weeks_between(from_.date(), to.date()), (asked.model, asked.version))
    rows = sum(week.by_model[asked.model].accounts for week in done)
    if not rows:
        console.print(f"No rows to write: version {asked.version} of {asked.model} counts there already, or no account")
        return
    say_done(f"{rows:,} scores in {weeks} weeks, beside what counts; to read them:")
    console.print(Text(f"  select * from cs.scores_of('{asked.model}', '{asked.version}')"))


for command in (fit, diff, tune, backtest, retention, steadiness):
    commands.command()(command)
