"""`alert replay`, `diff`, `scorecard`: what rules would have done in the past, and what they were worth."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import MOMENTS, RuleName, require_folder_of
from cs_pipeline.cli.console import console, print_frame, progress, say_done, say_heading
from cs_pipeline.cli.listing import AsJson, print_json
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    import pandas as pd

    from cs_pipeline.alerts.rulebook import Rule

FEW = 4
"""So many rules are shown beside each other, with all their figures."""
OF_REPLAY = ("rule", "fired", "a week", "p95", "of the book ever", "per CSM and week", "flaps", "open for")
OF_SCORECARD = ("rule", "verdict", "fired", "precision", "lift", "recall", "lead")

RuleNames = Annotated[
    list[str] | None, typer.Argument(help="Names of rules, as `cs-pipeline alert rules` prints them.")
]
First = Annotated[
    datetime | None, typer.Option("--from", formats=MOMENTS, help="From then on (UTC); without: a year back.")
]
Last = Annotated[datetime | None, typer.Option("--to", formats=MOMENTS, help="Until then (UTC); without: now.")]
Values = Annotated[
    list[str] | None,
    typer.Option("--set", help="Another parameter, as days=20, or days.pro=20 for a tier; may come again."),
]


def replay(
    rules: RuleNames = None,
    every: Annotated[bool, typer.Option("--all", help="All rules.")] = False,
    first: First = None,
    last: Last = None,
    given: Values = None,
    as_json: AsJson = False,
) -> None:
    """Replay rules over the past: how often, on whom, what delays save; writes nothing.

    Example: cs-pipeline alert replay no_login --from 2024-06-03 --set days=10
    """
    from cs_pipeline.alerts import replay as replays
    from cs_pipeline.alerts.outcomes import read_book
    from cs_pipeline.alerts.overlap import overlap
    from cs_pipeline.alerts.parameters import values_given
    from cs_pipeline.alerts.replay_report import report
    from cs_pipeline.alerts.scorecard import scorecards
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.reports.alerts import replay as words
    from cs_pipeline.reports.alerts import scorecard as of_scorecards

    settings = load_settings()
    chosen = _chosen(settings, rules or [], every)
    parameters = values_given(list(chosen), given or [])
    since, until = _range(settings, first, last)
    warehouse = start_warehouse(settings)
    with _moments() as on_progress:
        done = replays.replay(warehouse, settings, chosen, since, until, parameters, on_progress)
    book = read_book(warehouse)
    reports, overlapping = report(done, book), overlap(done)
    cards = scorecards(done.fired, done.watched(), book)
    if as_json:
        print_json(words.as_objects(reports, cards, overlapping))
        return
    console.print(Text(words.headline(done, reports)))
    _print_rules(words.table(reports), OF_REPLAY)
    for line in words.notes(reports):
        console.print(Text(line, style="yellow"))
    say_heading("Held against what happened")
    _print_rules(of_scorecards.table(cards), OF_SCORECARD)
    for title, rows in {
        "Rules that speak of the same accounts in the same weeks": words.overlaps(overlapping),
        "Accounts for which they fired most": words.loudest(reports),
    }.items():
        if not rows.empty:
            say_heading(title)
            print_frame(rows)


def diff(
    rule: RuleName,
    given: Values = None,
    before: Annotated[
        list[str] | None, typer.Option("--before", help="Parameters to compare with; without: those in force.")
    ] = None,
    first: First = None,
    last: Last = None,
    as_json: AsJson = False,
) -> None:
    """Compare two sets of parameters of a rule on the past; writes nothing.

    Example: cs-pipeline alert diff no_login --set days=10
    """
    from cs_pipeline.alerts import diff as diffs
    from cs_pipeline.alerts.outcomes import read_book
    from cs_pipeline.alerts.parameters import values_given
    from cs_pipeline.alerts.replay import replay as replayed
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.reports.alerts import replay as words

    if not given:
        raise UserError("Say what to change, as --set days=20")
    settings = load_settings()
    chosen = _chosen(settings, [rule], every=False)
    since, until = _range(settings, first, last)
    sets = [values_given(list(chosen), before or []), values_given(list(chosen), given)]
    warehouse = start_warehouse(settings)
    with _moments() as on_progress:
        one, other = (replayed(warehouse, settings, chosen, since, until, each, on_progress) for each in sets)
    found = diffs.diff(one, other, read_book(warehouse))
    if as_json:
        print_json(found)
        return
    for each in found:
        console.print(Text(words.diff_headline(each)))
        print_frame(words.side_by_side(each))
        for title, rows in {"Only before": each.only_before, "Only after": each.only_after}.items():
            if not rows.empty:
                say_heading(title)
                print_frame(rows)


def scorecard(
    rules: RuleNames = None,
    output: Annotated[Path | None, typer.Option(help="Write a page (HTML) to this file as well.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what rules were worth: precision, lift, recall, lead time, and a verdict.

    Held against what became of the accounts since. Example: cs-pipeline alert scorecard --output scorecard.html
    """
    from cs_pipeline.alerts.live_scorecards import live_scorecards
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.reports.alerts import scorecard as words

    require_folder_of(output)
    settings = load_settings()
    cards = live_scorecards(start_warehouse(settings), _chosen(settings, rules or [], every=not rules))
    if output is not None:
        output.write_text(words.scorecard_page(cards), encoding="utf-8")
    if as_json:
        print_json(words.as_objects(cards))
        return
    console.print(Text(words.headline(cards)))
    _print_rules(words.table(cards), OF_SCORECARD)
    for card in cards:
        console.print(Text(f"{card.rule}: {words.in_words(card)}"))
    if output is not None:
        say_done(f"Page: {output}")


def _print_rules(rows: "pd.DataFrame", main: Sequence[str]) -> None:
    """Print a row a rule: of few rules every figure, a column each rule; of many the main ones."""
    if len(rows) > FEW:
        print_frame(rows[list(main)])
    elif len(rows):
        print_frame(rows.set_index("rule").T.rename_axis("figure").reset_index())


def _chosen(settings: Settings, names: Sequence[str], every: bool) -> "dict[str, Rule]":
    from cs_pipeline.alerts.rulebook import load_rules, rule_named

    rules = load_rules(settings.config)
    if every:
        return {name: rule for name, rule in rules.items() if rule.is_on}
    if not names:
        raise UserError("Name the rules, or say --all; `cs-pipeline alert rules` lists them")
    return {name: rule_named(name, rules) for name in names}


def _range(settings: Settings, first: datetime | None, last: datetime | None) -> tuple[datetime, datetime]:
    until = last.replace(tzinfo=UTC) if last else Clock(settings.now).now()
    since = first.replace(tzinfo=UTC) if first else until - timedelta(weeks=52)
    if since > until:
        raise UserError(f"--from {since:%Y-%m-%d} is after --to {until:%Y-%m-%d}")
    return since, until


@contextmanager
def _moments() -> Iterator[Callable[[int, int], None]]:
    """Show how many moments are done."""
    with progress() as display:
        task = display.add_task("Replaying", total=None)
        yield lambda done, total: display.update(task, completed=done, total=total)
