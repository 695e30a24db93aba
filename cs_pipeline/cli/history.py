"""`rescore`, `models`, `late`, `replay-scores`: history under another model, with other data, or as it was known."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.console import console, print_frame, progress, say_done, say_heading
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    import pandas as pd

HISTORY = "History"
DAY = ["%Y-%m-%d"]
MOMENT = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"]
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=HISTORY)(rescore)
    app.command(rich_help_panel=HISTORY)(models)
    app.command(rich_help_panel=HISTORY)(late)
    app.command("replay-scores", rich_help_panel=HISTORY)(replay_scores)


def rescore(
    model: Annotated[str, typer.Argument(help="Score model, by name or file.")],
    from_: Annotated[datetime, typer.Option("--from", formats=DAY, help="First week: the Monday it starts.")],
    to: Annotated[datetime, typer.Option("--to", formats=DAY, help="Last week: the Monday it starts.")],
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


def models() -> None:
    """List every version of every model that ever scored a week: which weeks, how many rows, how many count."""
    from cs_pipeline.reports.scores.queries import model_versions
    from cs_pipeline.warehouse.locate import locate

    rows = model_versions(locate(load_settings()))
    if rows.empty:
        console.print("No week is scored yet.")
        return
    narrow = {"first_week": "first", "last_week": "last", "counts_in": "counts", "mean_score": "mean"}
    print_frame(rows.assign(scored_at=rows["scored_at"].dt.date).rename(columns=narrow))


def late(
    from_: Annotated[
        datetime | None, typer.Option("--from", formats=DAY, help="First week, a Monday; without: the first scored.")
    ] = None,
    to: Annotated[
        datetime | None, typer.Option("--to", formats=DAY, help="Last week, a Monday; without: the last scored.")
    ] = None,
) -> None:
    """List scored weeks whose inputs changed since: rows that arrived later, by week and table. Changes nothing."""
    from cs_pipeline.history.late_data import by_week_range, late_data
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    first, last = from_.date() if from_ else EARLIEST, to.date() if to else LATEST
    found = late_data(locate(settings), first, last, settings.late_rows)
    if found.arrived.empty and found.changed.empty:
        say_done("nothing that the scored weeks look at changed since they were scored")
        return
    if not found.arrived.empty:
        say_heading("Rows that arrived after the week was scored")
        print_frame(by_week_range(found.arrived))
    if not found.changed.empty:
        say_heading("Rows that were changed after the week was scored, and may matter to it")
        print_frame(by_week_range(found.changed))
    again = found.weeks_to_score_again
    if again:
        console.print(f"\n{len(again)} weeks would see other rows if scored again:")
        console.print(Text(f"  cs-pipeline backfill --from {again[0]} --to {again[-1]}"))


def replay_scores(
    from_: Annotated[datetime, typer.Option("--from", formats=DAY, help="First week: the Monday it starts.")],
    to: Annotated[datetime, typer.Option("--to", formats=DAY, help="Last week: the Monday it starts.")],
    as_known_at: Annotated[
        datetime, typer.Option(formats=MOMENT, help="Only rows that had arrived before this moment, UTC.")
    ],
    rows: Annotated[int, typer.Option(help="How many differences to print.", min=1)] = 20,
) -> None:
    """Score weeks from what was known at a moment, and say how the stored scores differ. Changes nothing."""
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.orchestration.recollection import recollect

    settings = load_settings()
    known_at = as_known_at.replace(tzinfo=UTC)
    with console.status("Checking") as status:
        found = recollect(
            start_warehouse(settings),
            from_.date(),
            to.date(),
            known_at,
            on_step=status.update,
            log=settings.home / "logs" / "replay.log",
        )
    if found.compared == 0:
        raise UserError(f"No week from {from_.date()} to {to.date()} is scored; there is nothing to compare with")
    console.print(f"{found.compared:,} scores as known at {known_at:%Y-%m-%d %H:%M} UTC: {found.words}")
    if not found.differences.empty:
        print_frame(_as_read(found.differences.head(rows)))


def _as_read(differences: "pd.DataFrame") -> "pd.DataFrame":
    """Columns week, account, stored, known, arr, because: narrow enough to be read in a terminal."""
    import pandas as pd

    shown = differences[["week", "account"]].copy()
    for name in ("stored", "known"):
        words = zip(differences[f"{name}_score"], differences[f"{name}_band"], strict=True)
        shown[name] = [f"{score:.1f} {band}" if pd.notna(score) else "no score" for score, band in words]
    return shown.assign(arr=differences["arr"].round(), because=differences["because"])
