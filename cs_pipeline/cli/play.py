"""`play`: list playbooks and start plays by hand; the other commands of the group stand in `play_*`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import PlaybookName, Who, who_decides
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, print_frame, say_done, table
from cs_pipeline.cli.listing import AsJson, print_json
from cs_pipeline.cli.play_breaker import dismiss, release
from cs_pipeline.cli.play_progress import progress, uplift
from cs_pipeline.cli.play_simulation import preview, simulate
from cs_pipeline.cli.play_stop import resume, stop
from cs_pipeline.clock import Clock
from cs_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from cs_pipeline.plays.playbooks.schema import Playbook

commands = new_group("List, preview, simulate, start, follow and stop plays.")


@commands.command("list")
def list_playbooks(as_json: AsJson = False) -> None:
    """List the playbooks; fails where a file or a template is wrong, saying where."""
    playbooks = _checked_playbooks(load_settings())
    if as_json:
        print_json([playbook.model_dump(mode="json") for playbook in playbooks.values()])
        return
    listed = table("playbook", "family", "priority", "started by", "steps", "what it is for")
    for playbook in playbooks.values():
        started = playbook.trigger.kind.replace("_", " ") + ("" if playbook.switched_on else ", switched off")
        days = f"{len(playbook.steps)}, day {playbook.steps[0].day} to {playbook.steps[-1].day}"
        listed.add_row(playbook.playbook, playbook.family, str(playbook.priority), started, days, Text(playbook.title))
    console.print(listed)


@commands.command()
def show(playbook: PlaybookName, as_json: AsJson = False) -> None:
    """Show what starts a playbook, whom it reaches, and its steps day by day.

    Example: cs-pipeline play show red_save
    """
    from cs_pipeline.plays.playbooks.reading import playbook_named

    found = playbook_named(playbook, _checked_playbooks(load_settings(), playbook))
    if as_json:
        print_json([step.model_dump(mode="json") for step in found.steps])
        return
    console.print(Text.assemble((found.title, "bold"), f" ({found.playbook}, version {found.version})"))
    console.print(Text(found.description))
    if not found.switched_on:
        console.print(Text("Switched off: a copy in your folder with `switched_on: true` starts it."))
    console.print(Text(f"Starts on {found.trigger.kind.replace('_', ' ')}: {found.trigger.when or 'any'}"))
    console.print(Text(f"Audience: {found.audience or 'everybody'}"))
    listed = table("day", "step", "channel", "to", "intent", "only when")
    for step in found.steps:
        when = " ".join(filter(None, [step.when, "needs approval" if step.waits_for_approval else ""]))
        listed.add_row(str(step.day), step.step, step.channel, step.to, step.intent, Text(when))
    console.print(listed)


@commands.command()
def pages(folder: Annotated[Path, typer.Argument(help="Folder to write; created when missing.")]) -> None:
    """Write a page in Markdown about each playbook, and an index of them."""
    from cs_pipeline.reports.playbooks.page import INDEX, write_pages

    count = write_pages(_checked_playbooks(load_settings()), folder)
    say_done(f"{count} playbooks, see {folder / INDEX}")


commands.command()(preview)
commands.command()(simulate)


@commands.command()
def start(
    playbook: Annotated[str, typer.Argument(help="Name of a playbook that people start.")],
    accounts: Annotated[list[str], typer.Argument(help="Ids of accounts.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the play.")] = "",
    key: Annotated[str, typer.Option(help="Asking again with the same key starts nothing; without: the day.")] = "",
    by: Who = "",
    as_json: AsJson = False,
) -> None:
    """Start a play by hand; says who entered, and who did not and why.

    Every guard is asked. Only playbooks whose trigger is `manual` can be started so.

    Example: cs-pipeline play start save_offer acc-000013 acc-000021 --reason "worth a fight"
    """
    from cs_pipeline.plays.enrolment.manual import start as started
    from cs_pipeline.plays.messages.renderer import Renderer
    from cs_pipeline.plays.playbooks.reading import load_playbooks, playbook_named
    from cs_pipeline.plays.triggers.manual import Ask
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    chosen = playbook_named(playbook, load_playbooks(settings.config))
    Renderer(settings).check(chosen)
    ask = Ask(who_decides(by), reason, key)
    found = started(locate(settings), chosen, accounts, ask, settings, Clock(settings.now).now())
    if as_json:
        print_json(found.outcomes)
        return
    print_frame(found.outcomes)
    if found.trip is not None:
        console.print(Text(found.trip.words))
    elif not found.new:
        console.print("All of this was asked for before, and is as it was.")


for command in (progress, uplift, stop, resume, release, dismiss):
    commands.command()(command)


def _checked_playbooks(settings: Settings, shown: str | None = None) -> "dict[str, Playbook]":
    """All playbooks by name. Raises UserError where a file or a cause is wrong, or a template of any, or of `shown`."""
    from cs_pipeline.plays.messages.renderer import Renderer
    from cs_pipeline.plays.playbooks.reading import load_playbooks
    from cs_pipeline.plays.triggers.dispatch import check_named_causes

    found = load_playbooks(settings.config)
    check_named_causes(found, settings.config)
    renderer = Renderer(settings)
    for name, playbook in found.items():
        if shown in (None, name):
            renderer.check(playbook)
    return found
