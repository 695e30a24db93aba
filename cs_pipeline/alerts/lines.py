"""Arrange what a reader is told of alerts into sections of lines, in words. Pure.

How lines look in mail and in Slack is in `messages`.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.alerts.title import UNKNOWN, title_of
from cs_pipeline.plays.messages import names
from cs_pipeline.plays.messages.environment import clean, in_words

MOST_LINES = 30
"""Alerts that one message shows."""
LONGEST_TITLE = 160
LONGEST_NAME = 60

SECTIONS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("escalation", "negative"): ("Nobody has acknowledged", "not acknowledged"),
    ("escalation", "positive"): ("Openings that nobody has acknowledged", "openings not acknowledged"),
    ("new", "negative"): ("New", "new"),
    ("new", "positive"): ("Good news", "good news"),
    ("reopened", "negative"): ("Back again", "back again"),
    ("reopened", "positive"): ("Good news again", "good news again"),
    ("reminder", "negative"): ("Still open", "still open"),
    ("reminder", "positive"): ("Good news that stays", "good news that stay"),
    ("resolved", "negative"): ("Got better", "got better"),
    ("resolved", "positive"): ("No longer so", "no longer so"),
}
"""Title of each section, and what so many of it are called, by kind and polarity, in the order of reading."""


@dataclass(frozen=True)
class Line:
    """One alert as it is told. `account` and `account_url` are empty where the rule speaks of no account.

    `severity` is empty where it does not matter: of good news, and of what is over.
    """

    alert_id: int
    account: str
    account_url: str
    title: str
    figures: str
    since: str
    arr: float | None
    severity: str
    is_over: bool


@dataclass(frozen=True)
class Section:
    """Lines of one kind, and how many more there are of which rule."""

    title: str
    phrase: str
    lines: tuple[Line, ...]
    more: tuple[tuple[str, int], ...]

    @property
    def count(self) -> int:
        """Alerts in all."""
        return len(self.lines) + sum(count for _, count in self.more)


def arrange(
    rows: Sequence[Mapping[Hashable, Any]],
    rules: Mapping[str, Rule],
    zone: tzinfo,
    url_of: Callable[[str], str],
    most: int = MOST_LINES,
) -> list[Section]:
    """The sections of one message. `rows` (of `waiting.take`) are in the order in which a reader wants them.

    The first `most` over all sections are shown; each alert is in one section, shown or counted.
    """
    by_section: dict[tuple[str, str], list[Mapping[Hashable, Any]]] = {}
    for row in rows:
        rule = rules.get(row["rule"])
        polarity = "negative" if rule is None else rule.alert.polarity
        by_section.setdefault((row["kind"], polarity), []).append(row)
    left = most
    sections: list[Section] = []
    for key, (title, phrase) in SECTIONS.items():
        found = by_section.get(key, [])
        if not found:
            continue
        shown = found[:left]
        left -= len(shown)
        of_rule = {row["rule"]: row["of_rule"] for row in found}
        of_shown = Counter(row["rule"] for row in shown)
        more = [(_in_words(rule), of_rule[rule] - of_shown[rule]) for rule in of_rule if of_rule[rule] > of_shown[rule]]
        lines = tuple(_line(row, rules.get(row["rule"]), zone, url_of) for row in shown)
        sections.append(Section(title, phrase, lines, tuple(more)))
    return sections


def headline(sections: Iterable[Section]) -> str:
    """'3 new, 2 still open, 1 got better'."""
    return ", ".join(f"{section.count:,} {section.phrase}" for section in sections)


def _line(row: Mapping[Hashable, Any], rule: Rule | None, zone: tzinfo, url_of: Callable[[str], str]) -> Line:
    account_id = str(row["account_id"])
    is_over = row["kind"] == "resolved"
    is_good = rule is not None and rule.alert.polarity == "positive"
    return Line(
        alert_id=int(row["alert_id"]),
        account=_name(row["account_name"], account_id) if account_id else "",
        account_url=url_of(account_id) if account_id else "",
        title=_cut(_one_line(title_of("{entity}" if rule is None else rule.alert.title, row)), LONGEST_TITLE),
        figures=_figures(row["measured"], row["held_against"]),
        since=_since(row, zone, is_over=is_over, is_event=rule is not None and rule.alert.nature == "event"),
        arr=row["arr"],
        severity="" if is_over or is_good else str(row["severity"]),
        is_over=is_over,
    )


def _figures(measured: float | None, held_against: float | None) -> str:
    """What was measured beside what it is held against, as far as they are known; nothing of what merely happened."""
    if measured == held_against == 1:
        return ""
    words = [
        f"{meaning} {figure(value)}"
        for meaning, value in (("measured", measured), ("held against", held_against))
        if clean(value) is not None
    ]
    return ", ".join(words)


def figure(value: float | None) -> str:
    """A figure with as many places as say something: 12, 3.3, and of shares 0.61."""
    number = float(value or 0)
    return in_words(round(number, 1)) if abs(number) >= 1 else f"{number:.2g}".replace("-", "−")


def _since(row: Mapping[Hashable, Any], zone: tzinfo, *, is_over: bool, is_event: bool) -> str:
    since = _day(row["since"], zone)
    if is_over:
        return f"from {since} to {_day(row['ended_at'], zone)}"
    times = int(row["reopened"] or 0)
    back = "" if not times else ", back once" if times == 1 else f", back {times} times"
    return f"{'seen on' if is_event else 'since'} {since}{back}"


def _day(moment: datetime | None, zone: tzinfo) -> str:
    return UNKNOWN if moment is None else in_words(moment.astimezone(zone).date())


def _in_words(rule: str) -> str:
    return rule.replace("_", " ")


def _name(account_name: object, account_id: str) -> str:
    """How an account is called: by its name, or where that says nothing by its id."""
    return _cut(names.account_name(clean(account_name)) or _one_line(account_id), LONGEST_NAME)


def _one_line(text: str) -> str:
    return str(clean(text) or "")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
