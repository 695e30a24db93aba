"""`backfill`: build and score a range of weeks."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import FirstWeek, LastWeek
from cs_pipeline.cli.console import console, errors, say_done, status
from cs_pipeline.errors import UserError
from cs_pipeline.first_few import first_few
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    import pandas as pd

METRICS_NAMED = 8


def backfill(
    from_: FirstWeek,
    to: LastWeek,
    cohort: Annotated[str, typer.Option(help="Only accounts that signed up in this month, as 2024-03.")] = "",
    segment: Annotated[str, typer.Option(help="Only accounts of this tier: starter, pro or enterprise.")] = "",
    late_rows: Annotated[str, typer.Option(help="exclude or include rows that arrived after a week ended.")] = "",
) -> None:
    """Build and score a range of weeks in one run; contacts nobody.

    Replaces the rows of those weeks; the same data gives the same scores again.

    Example: cs-pipeline backfill --from 2024-01-01 --to 2025-12-22
    """
    first, last = from_.date(), to.date()
    for name, day in (("--from", first), ("--to", last)):
        if day.weekday() != 0:
            raise UserError(f"{name} is {day}, a {day:%A}; weeks are named by the Monday they start")
    if late_rows not in ("", "exclude", "include"):
        raise UserError(f"--late-rows is '{late_rows}'; expected exclude or include")
    if last < first:
        raise UserError(f"--to ({last}) lies before --from ({first})")
    settings = load_settings()
    with status("Starting Dagster") as shown:
        from cs_pipeline.cli.runtime import open_runtime, require_weeks
        from cs_pipeline.reports.scores.queries import bands_by_week, missing_metrics

        require_weeks(settings, first, last)
        with open_runtime(settings) as runtime:
            weeks = (last - first).days // 7 + 1
            begun = f"Building and scoring {weeks} weeks in one run; the Dagster UI shows its steps"
            shown.update(begun)
            if not errors.is_terminal:  # nothing else is seen there for minutes
                errors.print(f"{begun}, and {runtime.launcher.log} what dbt says")
            result = runtime.launcher.run_weeks(first, last, cohort=cohort, segment=segment, late_rows=late_rows)
            bands = bands_by_week(runtime.warehouse, last, last)
            missing = missing_metrics(runtime.warehouse, last)
    words = ", ".join(f"{row['accounts']:,} {row['band']}" for row in bands.to_dict("records")) or "no accounts"
    say_done(f"{weeks} weeks, {first} to {last}, in run {result.run_id}")
    console.print(f"  week {last}: {words}")
    if not missing.empty:
        console.print(Text(_what_is_missing(missing)))


def _what_is_missing(missing: "pd.DataFrame") -> str:
    """For whoever wants those accounts scored: the metrics that are not known of them, and what to do about it."""
    counted = zip(missing["metric"], missing["accounts"], strict=True)
    listed = first_few((f"{metric} of {accounts:,}" for metric, accounts in counted), METRICS_NAMED)
    return (
        f"  Not scored are accounts of which too little is known. Missing: {listed}.\n"
        "  docs/bring-your-data.md says which tables bring them; docs/scores.md how to score without them."
    )
