"""Print the page at the end of the demo: company, scores, changes, alerts, plays, messages, and what to try next."""

import sys
from datetime import date
from pathlib import Path

import pandas as pd
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cs_pipeline.cli.console import console, marked
from cs_pipeline.clock import Clock
from cs_pipeline.project_folder import PROJECT
from cs_pipeline.reports.plays.queries import (
    actions_by_playbook,
    enrolled_and_refused,
    newest_plays,
    taken_actions,
)
from cs_pipeline.reports.scores.queries import bands_by_week, company_in_numbers, largest_falls, newest_week
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

COLOURS = {0: "green", 1: "yellow", 2: "dark_orange", 3: "red", -1: "grey62"}
WIDTH_OF_BAR = 40
SHOWN = 8


def show_summary(settings: Settings, warehouse: Warehouse) -> None:
    """Print what a person would want to know after the demo."""
    week = newest_week(warehouse)
    if week is None:
        console.print("No week is scored yet.")
        return
    console.print()
    for title, content in (
        ("The company", _company(warehouse, week)),
        (f"Health, week of {week}", _scores(warehouse, week)),
        ("Largest falls of the week", _falls(warehouse, week)),
        ("Alerts", _alerts(settings, warehouse)),
        ("Plays", _plays(warehouse)),
        ("Messages and tasks", _messages(warehouse)),
    ):
        console.print(Panel(content, title=title, title_align="left", border_style="cyan"))
    console.print(_next(settings))


def _company(warehouse: Warehouse, week: date) -> Table:
    grid = Table.grid(padding=(0, 3))
    numbers = company_in_numbers(warehouse, week)
    grid.add_row(*(Text(str(name), style="dim") for name in numbers))
    grid.add_row(*(Text(value, style="bold") for value in numbers.values()))
    return grid


def _scores(warehouse: Warehouse, week: date) -> Table:
    bands = bands_by_week(warehouse, week, week)
    total = max(int(bands["accounts"].sum()), 1)
    grid = Table.grid(padding=(0, 2))
    for row in bands.to_dict("records"):
        colour = COLOURS.get(int(row["severity"]), "white")
        length = round(row["accounts"] / total * WIDTH_OF_BAR)
        mean = "" if pd.isna(row["mean_score"]) else f"mean {row['mean_score']:.0f}"
        grid.add_row(
            Text(str(row["band"]), style=colour),
            Text("█" * max(length, 1), style=colour),
            Text(f"{row['accounts']:,}", style="bold"),
            Text(mean, style="dim"),
        )
    return grid


def _falls(warehouse: Warehouse, week: date) -> Table | Text:
    falls = largest_falls(warehouse, week, SHOWN)
    if falls.empty:
        return Text("No score fell this week.", style="dim")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("account", "score", "band", "because of", "cause", "ARR"):
        table.add_column(heading, header_style="dim", justify="right" if heading == "ARR" else "left", no_wrap=True)
    for row in falls.to_dict("records"):
        bands = row["to_band"] if row["from_band"] == row["to_band"] else f"{row['from_band']} → {row['to_band']}"
        table.add_row(
            Text(_short(row["account"])),
            f"{row['from_score']:.0f} → {row['to_score']:.0f}",
            bands,
            _words(row["main_driver"]),
            _words(row["cause"]),
            "" if pd.isna(row["arr"]) else f"{row['arr']:,.0f}",
        )
    return table


def _alerts(settings: Settings, warehouse: Warehouse) -> Group | Text:
    """How many alerts there are, the rules that fired most, a digest to look at, and what the scorecards say."""
    from cs_pipeline.alerts.live_scorecards import live_scorecards
    from cs_pipeline.alerts.rulebook import load_rules
    from cs_pipeline.reports.alerts.lists import newest_digest, rule_table
    from cs_pipeline.reports.alerts.scorecard import headline

    rules, now = load_rules(settings.config), Clock(settings.now).now()
    with warehouse.session() as session:
        found, digest = rule_table(session, rules, now), newest_digest(session)
    if found["evaluated_for"].isna().all():
        return Text("No alert rule was asked yet.", style="dim")
    fired, still_open, held = (int(found[name].sum()) for name in ("fired_30d", "open", "held"))
    watching = int(found["health"].isin(["ok", "held"]).sum())
    words = f"{fired:,} fired, {still_open:,} open, {held:,} held; {watching} of {len(found)} rules watch"
    loudest = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("loudest rule", "type", "fired", "open"):
        loudest.add_column(heading, header_style="dim", justify="right" if heading in ("fired", "open") else "left")
    most = found.sort_values(["fired_30d", "open"], ascending=False, kind="stable").head(SHOWN)
    for row in most[most["fired_30d"] > 0].to_dict("records"):
        loudest.add_row(_words(row["rule"]), row["type"], f"{row['fired_30d']:,}", f"{row['open']:,}")
    told = [Text(f"Digest: {digest[0]}\n        {settings.captures / digest[1]}")] if digest is not None else []
    return Group(
        Text(words, style="bold"), Text(), loudest, Text(), *told, Text(headline(live_scorecards(warehouse, rules)))
    )


def _plays(warehouse: Warehouse) -> Group | Text:
    with warehouse.session() as session:
        decisions = enrolled_and_refused(session)
        started = newest_plays(session, SHOWN)
    if decisions.empty:
        return Text("Nothing that a play waits for happened in the last weeks, so none was started.", style="dim")
    counts = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("playbook", "enrolled", "refused", "most frequent reason of refusal"):
        counts.add_column(heading, header_style="dim")
    for row in decisions.to_dict("records"):
        counts.add_row(row["playbook"], f"{row['enrolled']:,}", f"{row['refused']:,}", _words(row["reason"]))
    newest = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("newest", "account", "why", "state"):
        newest.add_column(heading, header_style="dim", no_wrap=heading != "why")
    for row in started.to_dict("records"):
        state = ": ".join(part for part in (row["status"], _words(row["reason"])) if part)
        newest.add_row(row["playbook"], Text(_short(row["account"])), Text(row["why"]), state)
    return Group(counts, Text(), newest)


def _messages(warehouse: Warehouse) -> Group | Text:
    with warehouse.session() as session:
        taken, by_playbook = taken_actions(session), actions_by_playbook(session)
    if taken.empty:
        return Text("Nothing is in the outbox.", style="dim")
    words = [f"{row['actions']:,} {row['state']}" for row in taken.to_dict("records")]
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("playbook", "channel", "captured", "still planned", "not taken"):
        table.add_column(heading, header_style="dim")
    for row in by_playbook.to_dict("records"):
        table.add_row(
            row["playbook"],
            row["channel"],
            *(f"{int(row[name]):,}" if row[name] else "" for name in ("captured", "planned", "not_taken")),
        )
    return Group(Text(", ".join(words), style="bold"), Text(), table)


def _next(settings: Settings) -> Panel:
    lines = [
        marked("[bold]{}/index.html[/]   every message, as its reader would see it", settings.captures),
        marked("[bold]cs-pipeline alert list[/] what is open, the most severe first; `alert rules` lists the rules"),
        marked("[bold]cs-pipeline play list[/]  the plays, and what starts them"),
        marked("[bold]cs-pipeline doctor[/]     what is configured, reachable and missing"),
        Text(),
        marked("Nothing left this machine: delivery is [bold]capture[/]. Run it again: nothing is contacted twice."),
        marked("The commands live in [bold]{}[/].", _near(Path(sys.executable).parent)),
        marked("How to use your own data: [bold]{}[/]", _near(PROJECT / "docs" / "bring-your-data.md")),
        Text(),
        marked("[bold]cs-pipeline up[/] serves the customer-success site, with a page for every account:"),
        marked("[bold]{}[/]", settings.site_url),
    ]
    return Panel(Text("\n").join(lines), title="Where to look next", title_align="left", border_style="green")


def _near(path: Path) -> Path:
    """As seen from here, where it is below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _words(name: str | float | None) -> str:
    return str(name).replace("_", " ") if isinstance(name, str) else ""


def _short(name: str, most: int = 28) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
