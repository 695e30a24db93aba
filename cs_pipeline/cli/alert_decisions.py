"""`alert ack`, `snooze`, `silence`, `silences`, `lift`, `release`, `dismiss`: what people decide about alerts."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cs_pipeline.cli.arguments import MOMENTS, AlertIds, RuleName, Who, who_decides
from cs_pipeline.cli.console import say_done
from cs_pipeline.cli.listing import AsJson, print_list
from cs_pipeline.clock import Clock
from cs_pipeline.settings import load_settings

Days = Annotated[int, typer.Option(help="For so many days.", min=1, max=3650)]
Until = Annotated[datetime | None, typer.Option(formats=MOMENTS, help="Instead of --days: until then (UTC).")]
Reason = Annotated[str, typer.Option(help="Why; others see it.")]


def ack(alert: AlertIds, by: Who = "") -> None:
    """Say that somebody looks after alerts, which ends their escalation.

    Example: cs-pipeline alert ack 12 13 --by olga
    """
    from cs_pipeline.alerts.decisions import acknowledge
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        count = acknowledge(session, alert, who_decides(by), Clock(settings.now).now())
    say_done(f"{count:,} acknowledged")


def snooze(alert: AlertIds, reason: Reason, days: Days = 7, until: Until = None, by: Who = "") -> None:
    """Tell nobody of these alerts for a while; those that fire still are told of again.

    Example: cs-pipeline alert snooze 12 --days 14 --reason "they pay at the end of the month"
    """
    from cs_pipeline.alerts import decisions
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    now = Clock(settings.now).now()
    end = _end(days, until, now)
    with locate(settings).session() as session:
        count = decisions.snooze(session, alert, end, reason, who_decides(by), now)
    say_done(f"{count:,} snoozed until {end:%Y-%m-%d %H:%M} UTC")


def silence(
    reason: Reason,
    rule: Annotated[str, typer.Option(help="Name of the rule; without: every rule, for the account.")] = "",
    account: Annotated[str, typer.Option(help="Id of the account; without: every account, for the rule.")] = "",
    days: Days = 7,
    until: Until = None,
    by: Who = "",
) -> None:
    """Tell nobody of a rule, of an account, or of one about the other, for a while.

    Alerts change state all the same. Example: cs-pipeline alert silence --rule no_login --reason "feed is being moved"
    """
    from cs_pipeline.alerts import decisions
    from cs_pipeline.alerts.rulebook import load_rules, rule_named
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    now = Clock(settings.now).now()
    end = _end(days, until, now)
    if rule:
        rule_named(rule, load_rules(settings.config))
    with locate(settings).session() as session:
        made = decisions.silence(session, rule or None, account or None, end, reason, who_decides(by), now)
    what = " about ".join(filter(None, [rule, account]))
    say_done(f"{what} is silent until {end:%Y-%m-%d %H:%M} UTC; `cs-pipeline alert lift {made}` ends it before")


def silences(as_json: AsJson = False) -> None:
    """List the silences that last, with who set them and why."""
    from cs_pipeline.reports.alerts import lists
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        found = lists.silences(session, Clock(settings.now).now())
    print_list(found, as_json, "Nothing is silent.")


def lift(
    silence: Annotated[int, typer.Argument(help="Id of the silence, as `cs-pipeline alert silences` prints it.")],
) -> None:
    """End a silence before its time."""
    from cs_pipeline.alerts import decisions
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        decisions.lift(session, silence, Clock(settings.now).now())
    say_done(f"silence {silence} is lifted")


def release(rule: RuleName, by: Who = "") -> None:
    """Tell people of the alerts of a rule that were held, because they were too many at once."""
    from cs_pipeline.alerts import decisions
    from cs_pipeline.alerts.rulebook import load_rules, rule_named
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    chosen = rule_named(rule, load_rules(settings.config))
    with locate(settings).session() as session:
        count = decisions.release(session, chosen, who_decides(by), settings, Clock(settings.now).now())
    say_done(f"{count:,} alerts of {rule} go on, and people are told")


def dismiss(rule: RuleName, by: Who = "") -> None:
    """Close the alerts of a rule that were held; they are not told of while they go on."""
    from cs_pipeline.alerts import decisions
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        count = decisions.dismiss(session, rule, who_decides(by), Clock(settings.now).now())
    say_done(f"{count:,} alerts of {rule} are dismissed")


def _end(days: int, until: datetime | None, now: datetime) -> datetime:
    return now + timedelta(days=days) if until is None else until.replace(tzinfo=UTC)
