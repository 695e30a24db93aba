"""`preview`: plays before they are switched on. Nothing is sent, nothing is written but the page that is asked for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.console import console, table
from cs_pipeline.cli.plays import PLAYS
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from cs_pipeline.plays.preview import Preview, PreviewedStep
    from cs_pipeline.plays.specification import Playbook


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PLAYS)(preview)


def preview(
    playbook: Annotated[str, typer.Argument(help="Name of the playbook.")],
    account: Annotated[str, typer.Argument(help="Id of the account.")],
    output: Annotated[Path | None, typer.Option(help="Write all messages as their readers see them, as HTML.")] = None,
) -> None:
    """Show every step of a play for one account, with today's facts, and which would not go out and why."""
    from cs_pipeline.plays.facts import Asking
    from cs_pipeline.plays.preview import preview as previewed
    from cs_pipeline.plays.rendering import Renderer
    from cs_pipeline.reports.preview_page import preview_page
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    (chosen,) = _chosen(playbook, settings)
    if output is not None and not output.absolute().parent.is_dir():
        raise UserError(f"{output.absolute().parent} is not a folder; --output needs one that exists")
    with locate(settings).session() as session:
        found = previewed(session, chosen, account, Renderer(settings), Asking(settings, Clock(settings.now).now()))
        session.rollback()
    _print_preview(found)
    if output is not None:
        output.write_text(preview_page(found, settings), encoding="utf-8")
        console.print(f"[green]✓[/] {output}")


def _chosen(name: str, settings: Settings) -> "tuple[Playbook, ...]":
    """The playbook of that name, or all of them where there is no name."""
    from cs_pipeline.plays.specification import load_playbooks

    playbooks = load_playbooks(settings.config)
    if name and name not in playbooks:
        raise UserError(f"There is no playbook '{name}'; there are: {', '.join(playbooks)}")
    return (playbooks[name],) if name else tuple(playbooks.values())


def _print_preview(found: "Preview") -> None:
    from cs_pipeline.plays.reason_words import meaning

    console.print(Text(f"{found.playbook.title}, for {found.account_name or found.account_id}", style="bold"))
    console.print(Text(f"Trigger: {found.cause}"))
    if found.refused:
        console.print(Text(f"Would not begin today: {meaning(found.refused, found.playbook)} ({found.refused})"))
    listed = table("due", "step", "channel", "to", "what comes of it", "subject")
    for shown in found.steps:
        listed.add_row(
            f"{shown.due_at:%Y-%m-%d}",
            shown.step.step,
            shown.step.channel,
            Text(shown.recipient or shown.step.to),
            Text(_what_comes(shown)),
            Text(shown.message.subject if shown.message else shown.problem or ""),
        )
    console.print(listed)


def _what_comes(shown: "PreviewedStep") -> str:
    if shown.stopped_by:
        return f"not sent: {shown.stopped_by}"
    if shown.problem:
        return "cannot be written"
    return "waits for approval" if shown.step.needs_approval else "goes out"
