"""`play progress`, `play uplift`: show how far plays are, and whether they help."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import Limit
from cs_pipeline.cli.console import console, print_frame
from cs_pipeline.cli.control_characters import on_one_line
from cs_pipeline.cli.listing import AsJson, as_plain, print_json
from cs_pipeline.clock import Clock
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    import pandas as pd

    from cs_pipeline.backtest.uplift import Uplift

MOST_LISTED = 2  # risks and next steps of a play among others


def progress(
    account: Annotated[str, typer.Argument(help="Id of an account; nothing: all plays that run.")] = "",
    playbook: Annotated[str, typer.Option(help="Only plays of this playbook.")] = "",
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Show how far plays are and what is in the way; those in trouble come first.

    Example: cs-pipeline play progress --playbook red_save
    """
    from cs_pipeline.plays.playbooks.reading import load_playbooks, playbook_named
    from cs_pipeline.reports.plays.progress import progress as read
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    if playbook:
        playbook_named(playbook, load_playbooks(settings.config))
    with locate(settings).session() as session:
        found = read(session, Clock(settings.now).now(), account or None, playbook or None)
    if as_json:
        print_json(found.head(limit))
        return
    if found.empty:
        of = f" of {playbook}" if playbook else ""
        console.print(f"{account} is in no play{of}, and was in none." if account else f"No play{of} is running.")
    _print_plays(found.head(limit), most=None if account else MOST_LISTED)
    if len(found) > limit:
        console.print(f"{limit:,} of {len(found):,} plays; --limit shows more.")


def uplift(
    playbook: Annotated[str, typer.Argument(help="Name of a playbook; nothing: all of them.")] = "",
    as_json: AsJson = False,
) -> None:
    """Compare enrolled accounts with held-out ones, and variants of steps: goals, renewals, departures, score.

    Needs `hold_out` in the playbook. Example: cs-pipeline play uplift red_save
    """
    from cs_pipeline.backtest.trials import trials, with_goals
    from cs_pipeline.backtest.uplift import decided_accounts, uplifts
    from cs_pipeline.plays.playbooks.reading import load_playbooks, playbook_named
    from cs_pipeline.reports.backtest.effects import trial_table, uplift_table
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    library = load_playbooks(settings.config)
    if playbook:
        playbook_named(playbook, library)
    warehouse, now = locate(settings), Clock(settings.now).now()
    accounts, goals = with_goals(warehouse, decided_accounts(warehouse, playbook or None, now), library, now)
    found, tried = uplifts(accounts, goals), trials(warehouse, accounts, goals, library)
    if as_json:
        of_trials = [{"step": each.step, "variant": each.variant, **_plain_effect(each.effect)} for each in tried]
        print_json([*map(_plain_effect, found), *of_trials])
        return
    if not found:
        console.print("No account was enrolled or held out yet.")
        return
    print_frame(uplift_table(found))
    if tried:
        console.print("Variants of steps, against the step as it is:")
        print_frame(trial_table(tried))
    if not any(each.held_out for each in found):
        console.print("No account was held out: set `hold_out` in a playbook, such as 0.2, to learn what it does.")


def _plain_effect(effect: "Uplift") -> dict[str, object]:
    return {**as_plain(effect), "verdict": effect.verdict}


def _print_plays(found: "pd.DataFrame", most: int | None) -> None:
    from cs_pipeline.reports.plays.progress import play_lines, play_title

    for play in found.to_dict("records"):
        console.print(Text(on_one_line(play_title(play)), style="bold"))
        for line in play_lines(play, most):
            console.print(Text(on_one_line(f"  {line}")))
