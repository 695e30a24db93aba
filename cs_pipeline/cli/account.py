"""`why`, `queue`: explain one account, rank all of them."""

from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import DAY, Limit
from cs_pipeline.cli.console import console, print_frame, say_heading
from cs_pipeline.cli.control_characters import on_one_line
from cs_pipeline.cli.listing import AsJson, print_json
from cs_pipeline.clock import Clock
from cs_pipeline.settings import load_settings

MOST_ROWS = 12
"""Rows of a table that a screen shows."""


def why(
    account: Annotated[str, typer.Argument(help="Id of the account, or its name.")],
    week: Annotated[
        datetime | None, typer.Option(formats=DAY, help="The Monday of the week; without: the newest scored.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain the score of an account and its change, with the numbers that sum to it.

    Example: cs-pipeline why acc-000013 --week 2025-06-02
    """
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.reports.scores.account_story import tell_story

    story = tell_story(start_warehouse(load_settings()), account, week.date() if week else None)
    if as_json:
        print_json(story)
        return
    named = on_one_line(f"{story.account_name} ({story.account_id})")
    console.print(Text(f"{named}, week {story.week}", style="bold"))
    for paragraph in story.paragraphs:
        console.print(Text(paragraph))
    for title, rows in story.tables.items():
        if not rows.empty:
            say_heading(title)
            print_frame(rows.head(MOST_ROWS))
        if len(rows) > MOST_ROWS:
            console.print(f"… and {len(rows) - MOST_ROWS:,} more; `--json` has all.")


def queue(
    owner: Annotated[str, typer.Option(help="E-mail address of an owner; without: of all.")] = "",
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List the accounts with most at stake (ARR times risk), and what is planned for each.

    Example: cs-pipeline queue --owner olga@example.com
    """
    from cs_pipeline.reports.plays.work_queue import account_lines, account_title, work_queue, work_queue_table
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        found = work_queue(session, Clock(settings.now).now(), owner or None, limit)
    if as_json:
        print_json(found)
        return
    if found.empty:
        console.print(f"{owner} owns no account." if owner else "There is no account yet.")
        return
    for place, row in enumerate(work_queue_table(found).to_dict("records"), start=1):
        console.print(Text(on_one_line(account_title(place, row)), style="bold"))
        for line in account_lines(row):
            console.print(Text(on_one_line(f"  {line}")))
