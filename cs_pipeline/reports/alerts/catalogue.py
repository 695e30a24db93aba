"""Write the catalogue of alert rules in Markdown: what each fires on, with which parameters, when, and who is told.

`cs-pipeline alert catalogue FILE` writes it; that of the shipped rules is docs/alerts/catalogue.md.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import groupby

from cs_pipeline.alerts.rule import Alert
from cs_pipeline.alerts.rulebook import Rule

TYPES = {
    "acquisition": "Acquisition",
    "onboarding": "Onboarding",
    "support": "Support",
    "renewal": "Renewal",
    "upsell": "Upsell",
    "risk": "Risk",
    "disagreement": "Disagreement",
}
"""Headings by type of rule, in the order of a customer's life."""
INTRODUCTION = """Rules are asked hourly (on the hour), daily (06:00 UTC), weekly (after the scores of the week) or by a
cron line. A *state* is over when it no longer holds, an *event* is told once. Rules of the mode *once* speak of no
account. Parameters have their defaults here; `alerts.yaml` sets them, for all accounts or by tier."""


def catalogue(rules: Mapping[str, Rule]) -> str:
    """All rules as a page in Markdown, a table for each type."""
    position = list(TYPES)
    ordered = sorted(rules.values(), key=lambda rule: (position.index(rule.alert.type), rule.name))
    parts = [
        "<!-- Written from the rules' properties files by `cs-pipeline alert catalogue`. -->",
        "# The alert rules",
        " ".join(INTRODUCTION.split()),
    ]
    for kind, found in groupby(ordered, key=lambda rule: rule.alert.type):
        parts += [f"## {TYPES[kind]}", _table(found)]
    return "\n\n".join(parts) + "\n"


def _table(rules: Iterable[Rule]) -> str:
    heads = ["rule", "fires when", "parameters", "asked", "severity", "who is told", "requirements"]
    lines = [heads, ["---"] * len(heads), *(_cells(rule) for rule in rules)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(rule: Rule) -> list[str]:
    alert = rule.alert
    cells = [
        f"`{rule.name}`",
        rule.description + (f" *Loud:* {alert.loud}" if alert.loud else ""),
        "<br>".join(_parameter(rule, name) for name in rule.defaults) or "none",
        _asked(alert),
        alert.severity,
        _told(alert),
        ", ".join(rule.requirements),
    ]
    return [" ".join(cell.split()).replace("|", "\\|") for cell in cells]


def _parameter(rule: Rule, name: str) -> str:
    said = rule.alert.parameters.get(name)
    unit = said.unit if said else ""
    everybody = rule.parameters[""][name]
    by_tier = [
        f"{_value(values[name])} for {tier}" for tier, values in rule.parameters.items() if values[name] != everybody
    ]
    values = ", ".join([_value(everybody, unit), *by_tier])
    return f"`{name}`: {values}" + (f" ({_in_a_sentence(said.meaning)})" if said else "")


def _value(value: object, unit: str = "") -> str:
    if isinstance(value, int | float):
        return _counted(value, unit)
    return (", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)) or "none"


def _asked(alert: Alert) -> str:
    return f"{alert.schedule}; {alert.nature}" + (", once" if alert.mode == "once" else "")


def _told(alert: Alert) -> str:
    notify, escalate = alert.notify, alert.escalate
    people = notify.to + (f", else {notify.otherwise}" if notify.otherwise else "")
    where = f" in {notify.channel}" if notify.channel else ""
    when = "in the daily digest" if notify.digest and alert.severity != "urgent" else "at once"
    then = f"; {escalate.to} after {_duration(escalate.after)}" if escalate else ""
    return f"{people}{where}, {when}{then}"


def _duration(duration: timedelta) -> str:
    hours = duration // timedelta(hours=1)
    return _counted(hours // 24, "days") if hours % 24 == 0 else _counted(hours, "hours")


def _counted(number: float, unit: str) -> str:
    return f"{number:g} {unit.removesuffix('s') if number == 1 else unit}".rstrip()


def _in_a_sentence(text: str) -> str:
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
