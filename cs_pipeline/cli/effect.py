"""`effect`: whether plays help."""

from typing import Annotated

import typer

from cs_pipeline.cli.console import console, print_frame
from cs_pipeline.cli.plays import PLAYS
from cs_pipeline.clock import Clock
from cs_pipeline.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PLAYS)(effect)


def effect(playbook: Annotated[str, typer.Argument(help="Name of a playbook; nothing: all of them.")] = "") -> None:
    """Say whether plays help: accounts enrolled against those held out, on renewal, departures and score."""
    from cs_pipeline.backtest.uplift import decided_accounts, uplifts
    from cs_pipeline.plays.playbooks.schema import load_playbooks, playbook_named
    from cs_pipeline.reports.backtest.uplift_text import uplift_table
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    library = load_playbooks(settings.config)
    if playbook:
        playbook_named(playbook, library)
    found = uplifts(decided_accounts(locate(settings), playbook or None, Clock(settings.now).now()))
    if not found:
        console.print("No account was enrolled or held out yet.")
        return
    print_frame(uplift_table(found))
    if not any(each.held_out for each in found):
        console.print("No account was held out: set `hold_out` in a playbook, such as 0.2, to learn what it does.")
