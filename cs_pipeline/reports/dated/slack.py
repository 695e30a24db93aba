"""A report as a Slack message: what changed, what to decide, the first table, charts, and where the rest stands."""

from collections.abc import Iterator
from typing import Any

from cs_pipeline.channels.slack_blocks import LAYOUT
from cs_pipeline.reports.dated.report import Report, Table
from cs_pipeline.reports.dated.words import count, sentence

MOST_ROWS = 12
MOST_FIGURES = 3
LONGEST_CELL = 80


def slack_blocks(report: Report, page_url: str = "") -> list[dict[str, Any]]:
    """Blocks within Slack's limits. A message has room for one table: the first that has rows."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": f"{report.title}, {report.period.words}"}},
        _markup(LAYOUT.escape(f"{sentence(report.headline)}.")),
        _list("What changed", report.changes),
        _list("What to decide", report.decisions),
    ]
    told = [table for table in report.tables if table.rows]
    if told:
        blocks += _table(told[0])
    blocks += [
        {"type": "image", "picture": figure.name, "alt_text": figure.finding, "title": _plain(figure.finding)}
        for figure in report.figures[:MOST_FIGURES]
    ]
    blocks += _beside(report, told[1:], page_url)
    return LAYOUT.fit(blocks)  # pyright: ignore[reportReturnType]


def _list(title: str, sentences: tuple[str, ...]) -> dict[str, Any]:
    lines = [f"• {LAYOUT.escape(words)}" for words in sentences]
    return _markup("\n".join([f"*{title}*", *lines]))


def _table(table: Table) -> Iterator[dict[str, Any]]:
    shown = table.first(MOST_ROWS)
    heading = [_cell(column.title) for column in shown.columns]
    yield _markup(f"*{LAYOUT.escape(table.title)}*")
    yield {
        "type": "table",
        "column_settings": [
            {"align": "right" if column.is_number else "left", "is_wrapped": not column.is_number}
            for column in shown.columns
        ],
        "rows": [heading, *[[_cell(cell) for cell in row] for row in shown.rows]],
    }
    if shown.more:
        yield _context(f"and {count(shown.more, 'more row', 'more rows')}")


def _beside(report: Report, tables: list[Table], page_url: str) -> Iterator[dict[str, Any]]:
    """What else the report holds, and where."""
    rest = ", ".join(f"{table.title} ({len(table.rows) + table.more:,})" for table in tables)
    if rest:
        yield _context(LAYOUT.escape(f"Also in the report: {rest}"))
    if page_url:
        yield _markup(LAYOUT.link("Open the report", page_url))
    if report.notes:
        yield _context(LAYOUT.escape(" ".join(report.notes)))


def _cell(text: str) -> dict[str, str]:
    """Slack takes no empty cell."""
    cut = text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1].rstrip() + "…"
    return {"type": "raw_text", "text": cut or "–"}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _markup(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}
