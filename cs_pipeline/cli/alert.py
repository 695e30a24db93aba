"""`alert`: list alerts and their rules, try a rule; the other commands of the group stand in `alert_*`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.text import Text

from cs_pipeline.cli.alert_decisions import ack, dismiss, lift, release, silence, silences, snooze
from cs_pipeline.cli.alert_replay import diff, replay, scorecard
from cs_pipeline.cli.arguments import MOMENTS, Limit, RuleName
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, print_frame, say_done, say_heading
from cs_pipeline.cli.control_characters import on_one_line
from cs_pipeline.cli.listing import AsJson, print_json, print_list
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    from cs_pipeline.alerts.rulebook import Rule
    from cs_pipeline.reports.alerts.lists import Which
    from cs_pipeline.reports.alerts.trial import Trial

MOST_ROWS = 10
"""Rows of each table of one alert's story."""

commands = new_group("List alerts, try and replay their rules, and decide about them.")


@commands.command("list")
def list_alerts(
    show: Annotated[
        str,
        typer.Option(
            help="open; baseline (held when its rule was first asked); pending, held, acknowledged, snoozed, over, all."
        ),
    ] = "open",
    rule: Annotated[str, typer.Option(help="Only alerts of this rule.")] = "",
    account: Annotated[str, typer.Option(help="Only those of this account, by id or name.")] = "",
    owner: Annotated[str, typer.Option(help="Only those of accounts of this address.")] = "",
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List alerts, the most severe of the accounts that pay most first.

    Example: cs-pipeline alert list --owner olga@example.com
    """
    from cs_pipeline.alerts.rulebook import load_rules, rule_named
    from cs_pipeline.reports.alerts.lists import WHICH, alert_table, alerts
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    if show not in WHICH:
        raise UserError(f"--show is '{show}'; expected {', '.join(WHICH)}")
    rules = load_rules(settings.config)
    if rule:
        rule_named(rule, rules)
    with locate(settings).session() as session:
        found = alerts(
            session,
            Clock(settings.now).now(),
            cast("Which", show),
            rule=rule or None,
            account=account or None,
            owner=owner or None,
            limit=limit,
        )
    words = {"all": "No alert.", "open": "No alert is open. `--show baseline` lists what is no news."}
    shown = alert_table(found, rules)
    if as_json:
        print_json(found.assign(what=shown["what"], remarks=shown["remarks"]))
    elif found.empty:
        console.print(f"{words.get(show, f'No alert is {show}.')} `cs-pipeline alert rules` says how the rules do.")
    for row in [] if as_json else shown.to_dict("records"):
        console.print(Text(on_one_line(f"{row['alert']}. {row['severity']}: {row['what']}"), style="bold"))
        beside = [row["account"], row["owner"], f"{row['state']} since {row['since']:%Y-%m-%d %H:%M}", row["remarks"]]
        console.print(Text(on_one_line(f"   {', '.join(filter(None, beside))}")))


@commands.command("rules")
def list_rules(
    health: Annotated[str, typer.Option(help="Only rules of this health: ok, no_data, error, held, off, none.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the rules: health, what is open, how often they fired, what they were worth.

    Fails where a rule or alerts.yaml is wrong, saying where. Example: cs-pipeline alert rules --health error
    """
    from cs_pipeline.alerts.rulebook import load_rules
    from cs_pipeline.reports.alerts.lists import rule_table
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    rules = load_rules(settings.config)
    with locate(settings).session() as session:
        found = rule_table(session, rules, Clock(settings.now).now())
    if health:
        found = found[found["health"].fillna("none") == health]
    if as_json:
        print_json(found)
        return
    shown = found.drop(columns=["type", "evaluated_for", "evaluated_at", "error", "is_absent", "description", "held"])
    told = found.loc[found["error"].notna() & found["health"].isin(["error", "no_data"])]
    print_list(
        shown.loc[:, shown.notna().any()],
        as_json,
        f"No rule has the health {health}." if health else "There is no rule: docs/alerts.md says how one is written.",
    )
    if not told.empty:
        say_heading("Not evaluated")
        for row in told.to_dict("records"):
            console.print(Text(on_one_line(f"{row['rule']}: {row['error']}")))


@commands.command()
def show(
    alert: Annotated[int, typer.Argument(help="Id of the alert, as `cs-pipeline alert list` prints it.")],
    as_json: AsJson = False,
) -> None:
    """Show one alert: what was found, since when, what became of it, and who was told."""
    from cs_pipeline.alerts.rulebook import load_rules
    from cs_pipeline.reports.alerts.alert_story import tell_alert
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        story = tell_alert(session, load_rules(settings.config), alert, Clock(settings.now).now())
    if as_json:
        print_json(story)
        return
    console.print(Text(on_one_line(story.title), style="bold"))
    for paragraph in story.paragraphs:
        console.print(Text(paragraph))
    for title, rows in story.tables.items():
        if not rows.empty:
            left = len(rows) - MOST_ROWS
            say_heading(
                title, f", the first {MOST_ROWS}; {left:,} more are on its page of the site" if left > 0 else ""
            )
            print_frame(rows.head(MOST_ROWS))


@commands.command("test")
def try_rule(
    rule: RuleName,
    account: Annotated[str, typer.Option(help="Only rows of this account, by its id.")] = "",
    as_of: Annotated[
        datetime | None, typer.Option(formats=MOMENTS, help="Ask about this moment (UTC); without: the newest due.")
    ] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Show the rows that a rule finds now, and the parameters it goes by; writes nothing.

    Example: cs-pipeline alert test invoice_overdue --as-of 2025-06-02T06:00
    """
    from cs_pipeline.alerts.rulebook import load_rules, rule_named
    from cs_pipeline.reports.alerts import trial
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    chosen = rule_named(rule, load_rules(settings.config))
    now = Clock(settings.now).now()
    moment = as_of.replace(tzinfo=UTC) if as_of else chosen.schedule.due(now) or now
    with locate(settings).session() as session:
        found = trial.try_rule(session, chosen, moment, account or None, limit)
    if as_json:
        print_json(found.rows)
    else:
        _say_trial(chosen, found)


@commands.command()
def run(
    weekly: Annotated[bool, typer.Option("--weekly", help="The weekly rules, of the week scored last.")] = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate the rules that are due now: alerts change state, and people are told.

    The job evaluate_alerts does the same every hour. What is told goes through the outbox.
    """
    from cs_pipeline.alerts.tick import tick
    from cs_pipeline.history.holes import last_scored
    from cs_pipeline.reports.alerts.lists import evaluation_table
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    warehouse = locate(settings)
    now = Clock(settings.now).now()
    week = None
    if weekly:
        with warehouse.session() as session:
            week = last_scored(session, now.date())
        if week is None:
            raise UserError("No week is scored yet; weekly rules are asked after the scores of a week")
    ticked = tick(warehouse, settings, now, week)
    done = ticked.evaluations
    found = evaluation_table(done)
    if as_json:
        print_json(found)
        return
    if not done:
        console.print("Nothing is due: every rule was asked about its newest moment.")
    noted = found[(found["health"] != "ok") | (found[["fired", "resolved", "held"]].sum(axis="columns") > 0)]
    if not noted.empty:
        print_frame(noted.drop(columns=["as_of", "inhibited", "out_of_audience"]))
    if done or ticked.planned.messages:
        fired = sum(each.fired for each in done)
        told = f"{ticked.planned.messages:,} messages planned"
        say_done(f"{len(done):,} rules evaluated, {fired:,} alerts fired, {told}")


@commands.command("catalogue")
def write_catalogue(file: Annotated[Path, typer.Argument(help="File to write, in Markdown.")]) -> None:
    """Write a page in Markdown about the rules: when each fires, its parameters, who is told.

    Example: cs-pipeline alert catalogue docs/alerts/catalogue.md
    """
    from cs_pipeline.alerts.rulebook import load_rules
    from cs_pipeline.reports.alerts.catalogue import catalogue

    rules = load_rules(load_settings().config)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(catalogue(rules), encoding="utf-8")
    say_done(f"{len(rules)} rules, see {file}")


for command in (replay, diff, scorecard, ack, snooze, silence, silences, lift, release, dismiss):
    commands.command()(command)


def _say_trial(rule: "Rule", found: "Trial") -> None:
    console.print(Text(f"{rule.name}, as of {found.as_of:%Y-%m-%d %H:%M} UTC", style="bold"))
    for tier, values in found.parameters.items():
        if values and (tier == "" or values != found.parameters[""]):
            said = ", ".join(f"{name} = {value}" for name, value in values.items())
            console.print(Text(on_one_line(f"Parameters{f' of {tier}' if tier else ''}: {said}")))
    for words in found.stale:
        console.print(Text(f"Evaluated, it would have no data: {words}", style="yellow"))
    if found.rows.empty:
        console.print("It finds nothing.")
        return
    shown = "" if found.found == len(found.rows) else f", of which {len(found.rows):,} are shown"
    console.print(f"It finds {found.found:,} rows of {found.accounts:,} accounts{shown}.")
    print_frame(found.rows.drop(columns="facts"))
