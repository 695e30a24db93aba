"""`play preview`, `play simulate`: try plays before they are switched on. Sends nothing.

The only thing that is written is the page given with --output.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import DAY, PlaybookName, require_folder_of
from cs_pipeline.cli.console import console, print_frame, progress, say_done, say_heading
from cs_pipeline.cli.listing import AsJson, print_json
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from cs_pipeline.plays.playbooks.schema import Playbook
    from cs_pipeline.plays.simulation.preview import Preview
    from cs_pipeline.plays.simulation.tables import SimulationTables

MOST_REASONS = 20


def preview(
    playbook: PlaybookName,
    account: Annotated[str, typer.Argument(help="Id of the account.")],
    output: Annotated[Path | None, typer.Option(help="Write all messages as their readers see them, as HTML.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show every step of a play for one account, with today's facts; sends nothing.

    Also says which steps would not go out, and why.

    Example: cs-pipeline play preview red_save acc-000013 --output page.html
    """
    from cs_pipeline.plays.facts.query import AsOf
    from cs_pipeline.plays.messages.renderer import Renderer
    from cs_pipeline.plays.simulation.preview import preview as previewed
    from cs_pipeline.reports.plays.page import preview_page
    from cs_pipeline.reports.plays.text import previewed_steps
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    (chosen,) = _chosen(playbook, settings)
    require_folder_of(output)
    with locate(settings).session() as session:
        with session.cursor() as cursor:
            cursor.execute("set transaction read only")
        found = previewed(session, chosen, account, Renderer(settings), AsOf(settings, Clock(settings.now).now()))
    if output is not None:
        output.write_text(preview_page(found, settings), encoding="utf-8")
    if as_json:
        print_json(previewed_steps(found))
        return
    _print_preview(found)
    if output is not None:
        say_done(output)


def simulate(
    playbook: Annotated[str, typer.Argument(help="Name of the playbook; nothing with --all.")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="The whole library, so that plays get in each other's way.")
    ] = False,
    from_: Annotated[
        datetime | None, typer.Option("--from", formats=DAY, help="First week: the Monday it starts.")
    ] = None,
    to: Annotated[
        datetime | None, typer.Option("--to", formats=DAY, help="Last week; without: the newest scored.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: also reasons, and every person and week.")
    ] = False,
) -> None:
    """Simulate a play on past weeks: who would have entered, and what would have been sent.

    Also says what became of those accounts. Sends nothing.

    Example: cs-pipeline play simulate yellow_adoption --from 2025-01-06 --to 2025-06-30
    """
    from cs_pipeline.plays.simulation.simulate import simulate_past_weeks
    from cs_pipeline.warehouse.locate import locate

    if bool(playbook) == everything:
        raise UserError("Name a playbook, or say --all for the whole library.")
    settings = load_settings()
    chosen = {each.playbook: each for each in _chosen(playbook, settings)}
    days = (from_.date() if from_ else None, to.date() if to else None)
    with progress() as display:
        task = display.add_task("Simulating", total=None)
        found = simulate_past_weeks(
            locate(settings),
            chosen,
            settings,
            *days,
            on_week=lambda week: display.update(task, advance=1, description=f"Week {week}"),
        )
    if as_json:
        print_json(found.document)
        return
    _print_simulation(found)


def _print_simulation(found: "SimulationTables") -> None:
    from cs_pipeline.reports.plays.text import SIMULATED_PLAYS_EXPLAINED, simulated_plays, simulation_headline

    console.print(Text(simulation_headline(found)))
    print_frame(simulated_plays(found))
    console.print(Text(SIMULATED_PLAYS_EXPLAINED, style="dim"))
    say_heading("Week by week")
    print_frame(found.weeks)
    say_heading("Load on people", ", a week on average")
    print_frame(found.people)
    reasons = found.reasons.drop(columns="playbook") if len(found.simulation.playbooks) == 1 else found.reasons
    if not reasons.empty:
        say_heading("Why not", f", the most frequent {min(MOST_REASONS, len(reasons))} of {len(reasons)}")
        print_frame(reasons.sort_values("count", ascending=False, kind="stable").head(MOST_REASONS))


def _chosen(name: str, settings: Settings) -> "tuple[Playbook, ...]":
    """The playbook of that name, or all that are switched on where there is no name."""
    from cs_pipeline.plays.playbooks.reading import load_playbooks, playbook_named, switched_on

    playbooks = load_playbooks(settings.config)
    return (playbook_named(name, playbooks),) if name else tuple(switched_on(playbooks).values())


def _print_preview(found: "Preview") -> None:
    from cs_pipeline.reports.plays.text import preview_refusal, preview_title, previewed_steps

    console.print(Text(preview_title(found), style="bold"))
    console.print(Text(f"Trigger: {found.cause}"))
    if found.refused:
        console.print(Text(f"Would not begin today: {preview_refusal(found)}"))
    print_frame(previewed_steps(found))
