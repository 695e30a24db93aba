"""Write messages about alerts: a digest, what is told at once of an account, and a rule's whole result with its table.

Each is made in two forms from the same sections, as Slack's blocks and as a mail. What they say is arranged in `lines`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mjml import mjml2html

from cs_pipeline.alerts.lines import Line, Section, figure
from cs_pipeline.channels.slack_blocks import LAYOUT
from cs_pipeline.plays.messages import loader
from cs_pipeline.plays.messages.brand import Brand
from cs_pipeline.plays.messages.environment import Template, clean, html_environment, in_words
from cs_pipeline.plays.messages.plain_text import plain_text
from cs_pipeline.settings import Settings

TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE = "alerts.mjml.j2"
MOST_COLUMNS = 6
ROWS_IN_A_BLOCK = 10
LONGEST_CELL = 60

SEVERITY_COLOURS = {"urgent": "#b3261e", "high": "#b3541e", "medium": "#7a6400", "low": "#5d6b7a"}
"""In mail; each can be read on white."""

ACKNOWLEDGE = "cs-pipeline alert ack"
SNOOZE = "cs-pipeline alert snooze"
OPEN = "Open the alert"


@dataclass(frozen=True)
class Table:
    """Rows that a rule found, as people read them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int


@dataclass(frozen=True)
class Written:
    """A message in all of its forms."""

    subject: str
    text: str
    html: str
    blocks: list[dict[str, Any]]


def table_of(facts: object, show_rows: int) -> Table | None:
    """The table in `facts.rows`, its first `show_rows` rows; None where there is none."""
    rows = facts.get("rows") if isinstance(facts, Mapping) else None
    found = [row for row in rows if isinstance(row, Mapping) and row] if isinstance(rows, list) else []
    if not found:
        return None
    names = sorted(dict.fromkeys(name for row in found for name in row), key=lambda name: _place(name, found))
    names = names[:MOST_COLUMNS]
    cells = tuple(tuple(_cell(row.get(name)) for name in names) for row in found[:show_rows])
    columns = tuple(str(clean(str(name).replace("_", " "))).capitalize() for name in names)
    return Table(columns, cells, max(0, len(found) - show_rows))


class Writer:
    """Writes messages in the team's brand. Raises UserError when the brand file is wrong."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        folders = loader.folders(settings.config)
        self._brand = Brand.read(next(path for folder in folders if (path := folder / "brand.yaml").is_file()))
        places = [*(folder / "email" for folder in folders[:-1]), TEMPLATES / "email", folders[-1] / "email"]
        path = next(place / TEMPLATE for place in places if (place / TEMPLATE).is_file())
        environment = html_environment(places, self._brand.currency)
        self._template = Template(environment, loader.read(path), path)

    def account_url(self, account_id: str) -> str:
        """The account's page on the customer-success site."""
        return f"{self._settings.site_url.rstrip('/')}/accounts/{quote(account_id, safe='')}"

    def alert_url(self, alert_id: int) -> str:
        """The alert's page on that site; empty while the site has no address of the team's own.

        There everybody can take the alert; the command line is for those who have it.
        """
        has_address = self._settings.site_url != Settings.model_fields["site_url"].default
        return f"{self._settings.site_url.rstrip('/')}/alerts/{alert_id}" if has_address else ""

    def write(
        self,
        subject: str,
        sections: Sequence[Section],
        *,
        title: str = "",
        intro: str = "",
        table: Table | None = None,
        names_it: bool = False,
    ) -> Written:
        """The message that says `subject`, or `title` above it, then `intro`, the sections, and the table.

        `names_it`: the subject is the title of the one alert, which is then not said again.
        """
        values = {
            "subject": subject,
            "preview": intro or subject,
            "title": title or subject,
            "intro": intro,
            "sections": sections,
            "table": table,
            "acknowledge": ACKNOWLEDGE,
            "snooze": SNOOZE,
            "open": OPEN,
            "alert_url": self.alert_url,
            "names_it": names_it,
            "severity_colours": SEVERITY_COLOURS,
            "first_open": _first_open(sections),
            "brand": self._brand.in_templates,
            "company_name": self._settings.company_name,
            "postal_address": self._settings.postal_address,
            "is_for_customer": False,
        }
        mjml = self._template.render(values)
        return Written(
            subject,
            plain_text(mjml),
            mjml2html(mjml),
            self._blocks(title or subject, sections, intro, table, names_it=names_it),
        )

    def _blocks(
        self, title: str, sections: Sequence[Section], intro: str, table: Table | None, *, names_it: bool
    ) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": title}}]
        if intro:
            blocks.append(_markup(LAYOUT.escape(intro)))
        for section in sections:
            if len(sections) > 1:
                blocks += [{"type": "divider"}, _markup(f"*{LAYOUT.escape(section.title)}*")]
            blocks += [_markup(self._words_of(line, names_it=names_it)) for line in section.lines]
            if section.more:
                blocks.append(_context("and " + ", ".join(_more(rule, count) for rule, count in section.more)))
        if table is not None:
            blocks += [*_table(table)]
        if first := _first_open(sections):
            blocks += [
                {"type": "divider"},
                _context(f"Seen to: `{ACKNOWLEDGE} {first}` · Not now: `{SNOOZE} {first} --days 7 --reason …`"),
            ]
        return LAYOUT.fit(blocks)  # pyright: ignore[reportReturnType]

    def _words_of(self, line: Line, *, names_it: bool) -> str:
        """What the subject of a message about one alert says is not said again."""
        who = f"*{LAYOUT.link(line.account, line.account_url)}*" if line.account else ""
        arr = f"{LAYOUT.escape(self._money(line.arr))} ARR" if line.account and line.arr else ""
        title = "" if names_it else LAYOUT.escape(line.title)
        details = " · ".join(LAYOUT.escape(part) for part in (line.since, line.figures) if part)
        url = self.alert_url(line.alert_id)
        page = f" · {LAYOUT.link(OPEN, url)}" if url else ""
        acknowledge = "" if line.is_over else f" · `{ACKNOWLEDGE} {line.alert_id}`"
        severity = line.severity if not names_it else ""
        first = " · ".join(part for part in (who, arr, severity) if part)
        lines = [part for part in (first, title, f"_{details}_{page}{acknowledge}") if part]
        return "\n".join(lines)

    def _money(self, amount: float) -> str:
        return self._brand.currency + in_words(round(amount))


def _first_open(sections: Sequence[Section]) -> int | None:
    """An alert that can be acknowledged, to show how."""
    return next((line.alert_id for section in sections for line in section.lines if not line.is_over), None)


def day_in_words(day: date) -> str:
    """Monday 10 March."""
    return f"{day:%A} {day.day} {day:%B}"


def _table(table: Table) -> list[dict[str, Any]]:
    """A line a row, since Slack and Teams have no tables: its first cell, then what each of the others is."""
    lines = [
        " · ".join(
            [f"*{LAYOUT.escape(row[0])}*"]
            + [
                LAYOUT.escape(f"{column.lower()} {cell}")
                for column, cell in zip(table.columns[1:], row[1:], strict=True)
                if cell
            ]
        )
        for row in table.rows
    ]
    blocks = [
        _markup("\n".join(lines[start : start + ROWS_IN_A_BLOCK])) for start in range(0, len(lines), ROWS_IN_A_BLOCK)
    ]
    return [{"type": "divider"}, *blocks, *([_context(f"and {table.more:,} more")] if table.more else [])]


def _more(rule: str, count: int) -> str:
    return f"{count:,} more of {LAYOUT.escape(rule)}"


def _markup(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _place(name: str, rows: Sequence[Mapping[str, object]]) -> tuple[bool, bool]:
    """Whose row it is comes first, then what is said in words, then figures: jsonb keeps no order of its own."""
    is_text = any(isinstance(row.get(name), str) for row in rows)
    return (name not in ("account", "account_name", "account_id"), not is_text)


def _cell(value: object) -> str:
    value = clean(value if not isinstance(value, Mapping | list) else str(value))
    if value is None:
        return ""
    if isinstance(value, bool):
        return in_words(value)
    if isinstance(value, int | float):
        return figure(value)
    text = str(value)
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1].rstrip() + "…"
