"""`kpi`: read KPIs with their targets, say what one means, find the accounts behind a change, build them anew."""

from datetime import date, datetime
from typing import Annotated

import typer
from rich.text import Text

from cs_pipeline.cli import kpi_forecast
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, print_frame, say_done, say_heading, status
from cs_pipeline.cli.control_characters import on_one_line
from cs_pipeline.cli.listing import AsJson, print_json
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

commands = new_group("Read KPIs with their targets, find the accounts behind a change, forecast renewals.")

MONTHS = ["%Y-%m"]
WINDOWS = (1, 3, 12)

Month = Annotated[
    datetime | None, typer.Option(formats=MONTHS, help="A month, as 2025-06; without: the last that was over.")
]
PartWords = Annotated[
    str, typer.Option("--part", help="A part of the business, as tier=pro; also segment, owner or cohort.")
]
Window = Annotated[int | None, typer.Option(help="Months of the window, 1, 3 or 12; without: that of each KPI.")]


@commands.command("list")
def list_kpis(
    month: Month = None,
    part: PartWords = "",
    window: Window = None,
    show_all: Annotated[bool, typer.Option("--all", help="All of them, not only those of the dashboard.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the KPIs of the dashboard for a month: value, the month before, interval, target.

    Example: cs-pipeline kpi list --part tier=enterprise --month 2025-06
    """
    from cs_pipeline.kpis.library import load_kpis
    from cs_pipeline.reports.dated.catalogue import money_of
    from cs_pipeline.reports.kpis.values import Part, kpi_values, of_dashboard
    from cs_pipeline.reports.kpis.words import values_table
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    book, of, asked = load_kpis(settings.config), Part.parse(part), _window(window)
    with locate(settings).session() as session:
        found = kpi_values(session, book, _day(month), of, asked)
    sections = {"All KPIs": found} if show_all else of_dashboard(found, book)
    if as_json:
        print_json([{"section": name, **row} for name, rows in sections.items() for row in rows.to_dict("records")])
        return
    whole = "" if of.kind == "all" else f", {of.kind} {of.name}"
    console.print(Text(on_one_line(f"{found['month'].iloc[0]:%B %Y}{whole}"), style="bold"))
    for name, rows in sections.items():
        say_heading(name)
        print_frame(values_table(rows, money_of(settings)))
    console.print("\nA dash: nothing was there to measure. `cs-pipeline kpi show KPI` says what one means.")


@commands.command()
def show(
    kpi: Annotated[str, typer.Argument(help="Name of the KPI, as `cs-pipeline kpi list` prints it.")],
    by: Annotated[str, typer.Option(help="Split its last month by tier, segment, owner or cohort.")] = "",
    part: PartWords = "",
    window: Window = None,
    months: Annotated[int, typer.Option(help="How many months to show.", min=1)] = 13,
    as_json: AsJson = False,
) -> None:
    """Show one KPI: what it means, its target, its months, and its parts.

    Example: cs-pipeline kpi show nrr --by tier
    """
    from cs_pipeline.kpis.library import load_kpis
    from cs_pipeline.reports.dated.catalogue import money_of
    from cs_pipeline.reports.kpis import words
    from cs_pipeline.reports.kpis.values import PART_KINDS, Part, definition_of, kpi_by_month, kpi_by_part
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    said = definition_of(load_kpis(settings.config), kpi)
    if by and by not in PART_KINDS[1:]:
        raise UserError(f"--by is '{by}'; expected one of {', '.join(PART_KINDS[1:])}")
    of, asked = Part.parse(part), _window(window) or said["window"]
    with locate(settings).session() as session:
        by_month = kpi_by_month(session, kpi, asked, of, months)
        by_part = None if not by else kpi_by_part(session, kpi, asked, by)
    if as_json:
        print_json({"definition": said, "window": asked, "months": by_month, "parts": by_part})
        return
    money, unit = money_of(settings), said["unit"]
    console.print(Text(said["title"], style="bold"))
    console.print(Text(said["formula"]))
    for name, value in {
        "better": {"up": "higher", "down": "lower", "neither": "neither"}[said["good"]],
        "counts": said["basis"],
        "window": f"{asked} months" if asked > 1 else "the month",
        "target": words.target(said["target"], said["target_kind"], unit, money) or "none",
        "if missed": said["if_missed"],
        "facts": ", ".join(said["facts"]),
    }.items():
        if value:
            console.print(Text(f"  {name:9} {value}"))
    say_heading("Months")
    if by_month.empty:
        console.print("Nothing was there to measure in any month; docs/kpis.md says what it needs.")
    else:
        print_frame(words.month_table(by_month, unit, money))
    if by_part is not None:
        say_heading(f"By {by}, the last month that was over")
        print_frame(words.month_table(by_part, unit, money))


@commands.command()
def drivers(
    month: Month = None,
    movement: Annotated[
        str, typer.Option(help="Only new, reactivation, expansion, contraction or churn; without: all.")
    ] = "",
    owner: Annotated[str, typer.Option(help="E-mail address of an owner; without: of all.")] = "",
    limit: Annotated[int, typer.Option(help="How many accounts of each movement.", min=1)] = 5,
    as_json: AsJson = False,
) -> None:
    """List the accounts that made the difference in a month: what they paid before and after, and why.

    Example: cs-pipeline kpi drivers --movement churn --month 2025-06
    """
    from cs_pipeline.reports.dated.catalogue import money_of
    from cs_pipeline.reports.kpis.drivers import bridge_line, drivers_of, drivers_table, headline
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        found = drivers_of(session, _day(month), movement, owner, limit)
    if as_json:
        print_json(found)
        return
    money = money_of(settings)
    console.print(Text(headline(found, money), style="bold"))
    console.print(Text(bridge_line(found, money)))
    if not found.rows.empty:
        print_frame(drivers_table(found.rows, money))


@commands.command()
def build() -> None:
    """Build the KPIs now, as the job kpis does on Mondays and on the first of each month; contacts nobody.

    Example: cs-pipeline kpi build
    """
    settings = load_settings()
    with status("Starting Dagster") as shown:
        from cs_pipeline.cli.runtime import open_runtime
        from cs_pipeline.orchestration.keys import KPIS_JOB

        with open_runtime(settings) as runtime:
            shown.update("Building KPIs; the Dagster UI shows the steps")
            result = runtime.launcher.run(KPIS_JOB)
    say_done(f"KPIs are built, in run {result.run_id}; `cs-pipeline kpi list` shows them")


for _command in (kpi_forecast.forecast, kpi_forecast.call, kpi_forecast.calls):
    commands.command()(_command)


def _day(month: datetime | None) -> date | None:
    return None if month is None else month.date()


def _window(window: int | None) -> int | None:
    if window is not None and window not in WINDOWS:
        raise UserError(f"--window is {window}; KPIs are reckoned over {', '.join(map(str, WINDOWS))} months")
    return window
