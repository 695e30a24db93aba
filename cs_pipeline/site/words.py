"""Show values as readers expect them: numbers, money, days, moments. Filters of the templates; no data access."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

NOTHING = "–"


def is_missing(value: object) -> bool:
    """True for None, NaN and NaT."""
    return value is None or value != value


def number(value: Any, digits: int = 0) -> str:
    """1,234 or −12.5; a dash where there is none."""
    if is_missing(value):
        return NOTHING
    text = f"{float(value):,.{digits}f}"
    return "0" if float(text.replace(",", "")) == 0 and digits == 0 else text.replace("-", "−")


def score(value: Any) -> str:
    """62.5, or 62 where it is whole."""
    return NOTHING if is_missing(value) else number(value, 1).removesuffix(".0")


def signed(value: Any, digits: int = 0) -> str:
    """+12 or −3; a dash where there is none."""
    if is_missing(value):
        return NOTHING
    text = number(value, digits)
    return text if text.startswith("−") or float(text.replace(",", "")) == 0 else f"+{text}"


def percent(value: Any, digits: int = 0) -> str:
    """A share as 12%."""
    return NOTHING if is_missing(value) else f"{number(100 * float(value), digits)}%"


def short_money(value: Any, currency: str) -> str:
    """$1.2M, $34k, $950."""
    if is_missing(value):
        return NOTHING
    amount = float(value)
    for least, letter in ((999_500_000, "B"), (999_500, "M"), (9_950, "k")):
        if abs(amount) >= least:
            scaled = amount / {"B": 1e9, "M": 1e6, "k": 1e3}[letter]
            text = f"{scaled:,.1f}" if abs(scaled) < 99.95 else f"{scaled:,.0f}"
            return _with_sign(f"{text.removesuffix('.0')}{letter}", currency)
    return _with_sign(f"{amount:,.0f}", currency)


def money(value: Any, currency: str) -> str:
    """$1,234."""
    return NOTHING if is_missing(value) else _with_sign(f"{float(value):,.0f}", currency)


def day(value: Any) -> str:
    """29 Jun 2026."""
    return NOTHING if is_missing(value) else f"{value.day} {value:%b %Y}"


def moment(value: Any, zone: ZoneInfo) -> Markup | str:
    """A moment in the team's time zone, as a `time` element that holds it exactly."""
    if is_missing(value):
        return NOTHING
    at = _aware(value).astimezone(zone)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.astimezone(UTC).isoformat(timespec="seconds"), f"{at:%Y-%m-%d %H:%M} {at.tzname()}", f"{day(at)} {at:%H:%M}"
    )


def moment_day(value: Any, zone: ZoneInfo) -> Markup | str:
    """The day of a moment in the team's time zone, as a `time` element whose title says the rest."""
    if is_missing(value):
        return NOTHING
    at = _aware(value).astimezone(zone)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.astimezone(UTC).isoformat(timespec="seconds"), f"{at:%Y-%m-%d %H:%M} {at.tzname()}", day(at)
    )


def days_later(value: datetime, days: int) -> str:
    """The day so many days after a moment, as the fields of forms take it."""
    return (value + timedelta(days=days)).date().isoformat()


def ago(value: Any, now: datetime) -> str:
    """today, 3 days ago, in 12 days: between the days of two moments, or of a day and a moment."""
    if is_missing(value):
        return NOTHING
    its = value.date() if isinstance(value, datetime) else value
    days = (now.date() - its).days
    if days == 0:
        return "today"
    count = f"{abs(days):,} day{'' if abs(days) == 1 else 's'}"
    return f"{count} ago" if days > 0 else f"in {count}"


def plain(value: Any) -> str:
    """A name of ours in words: `score_change` as `score change`."""
    return NOTHING if is_missing(value) or value == "" else str(value).replace("_", " ")


def cell(value: Any, zone: ZoneInfo) -> Markup | str:
    """Any value of a table in words."""
    if is_missing(value):
        return NOTHING
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return moment(value, zone)
        case date():
            return day(value)
        case int():
            return number(value)
        case float():
            return number(value, 0 if value == round(value) else 1)
        case list() | tuple():
            return ", ".join(str(each) for each in value)
        case Mapping():
            return ", ".join(f"{name} {each}" for name, each in value.items())
        case _:
            return str(value)


def counted(value: int, one: str, many: str | None = None) -> str:
    """1 alert, 12 alerts."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def _with_sign(text: str, currency: str) -> str:
    return f"−{currency}{text[1:]}" if text.startswith("-") else f"{currency}{text}"


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
