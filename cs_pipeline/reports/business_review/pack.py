"""Write the parts of a business review into a PowerPoint file: native charts and tables, text in placeholders.

Whoever holds the review edits all of it; the placeholder `notes` of every slide is left for their own words.
"""

import re
from datetime import date
from pathlib import Path
from typing import Any

from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
from pptx.enum.text import PP_ALIGN
from pptx.presentation import Presentation as Deck
from pptx.slide import Slide
from pptx.util import Pt
from psycopg2.extensions import connection as Session

from cs_pipeline.reports.business_review.facts import Review, read_review
from cs_pipeline.reports.business_review.parts import Part, PartChart, PartTable, parts
from cs_pipeline.reports.business_review.template import COVER, FILE, PART, layout_named, open_template
from cs_pipeline.reports.dated.words import Money, account_words, day
from cs_pipeline.settings import Settings

NOTES = "notes"
LINE = RGBColor(0xD5, 0xDB, 0xE1)
_FIGURE = re.compile(r"[^\w\s]?[\d.,]+( ?%)?")
_KINDS = {
    "line": XL_CHART_TYPE.LINE,
    "column": XL_CHART_TYPE.COLUMN_CLUSTERED,
    "stacked": XL_CHART_TYPE.COLUMN_STACKED,
    "bar": XL_CHART_TYPE.BAR_STACKED,
}


def business_review(
    session: Session,
    account: str,
    end: date,
    settings: Settings,
    money: Money,
    *,
    months: int = 3,
    is_executive: bool = False,
    template: Path | None = None,
) -> Deck:
    """The pack of an account over the `months` before `end`, in `template`, else the team's own, else ours.

    Raises UserError where the account is unknown, the marts are not built, or the template lacks something.
    """
    own = None if settings.config is None else settings.config / FILE
    deck = open_template(template or (own if own is not None and own.exists() else None))
    review = read_review(session, account, end, months)
    _cover(deck, review, settings, is_executive=is_executive)
    for part in parts(review, money, is_executive=is_executive):
        _slide(deck, part)
    return deck


def _cover(deck: Deck, review: Review, settings: Settings, *, is_executive: bool) -> None:
    _, texts = _new_slide(deck, COVER)
    name = account_words(review.account["account_name"], review.account["account_id"])
    kind = "Executive business review" if is_executive else "Business review"
    texts["title"].text_frame.text = f"{kind}: {name}"
    owner = review.account["owner_email"]
    held_by = f"\n{settings.company_name}, {owner}" if owner else f"\n{settings.company_name}"
    texts["subtitle"].text_frame.text = f"{day(review.first)} to {day(review.end)}{held_by}"


def _slide(deck: Deck, part: Part) -> None:
    slide, places = _new_slide(deck, PART)
    places["title"].text_frame.text = part.title
    places["findings"].text_frame.text = "\n".join(part.findings)
    chart, table = places["chart"], places["table"]
    is_alone = part.chart is None
    left, right = _box(chart), _box(table)
    for placeholder in (chart, table):
        placeholder._element.getparent().remove(placeholder._element)
    if part.chart is not None:
        _add_chart(slide, part.chart, left if part.table is not None else _across(left, right))
    if part.table is not None:
        _add_table(slide, part.table, _across(left, right) if is_alone else right)


Box = tuple[int, int, int, int]


def _box(placeholder: Any) -> Box:
    return placeholder.left, placeholder.top, placeholder.width, placeholder.height


def _across(left: Box, right: Box) -> Box:
    """The room of both."""
    x, y = min(left[0], right[0]), min(left[1], right[1])
    return (
        x,
        y,
        max(left[0] + left[2], right[0] + right[2]) - x,
        max(left[1] + left[3], right[1] + right[3]) - y,
    )


def _new_slide(deck: Deck, layout_name: str) -> tuple[Slide, dict[str, Any]]:
    """A slide of a layout, and its placeholders by the names that they have in the layout, which they get as well."""
    layout = layout_named(deck, layout_name)
    slide = deck.slides.add_slide(layout)
    names = {each.placeholder_format.idx: each.name for each in layout.placeholders}
    places: dict[str, Any] = {}
    for placeholder in slide.placeholders:
        placeholder.name = names[placeholder.placeholder_format.idx]
        places[placeholder.name] = placeholder
    return slide, places


def _add_chart(slide: Slide, chart: PartChart, box: Box) -> None:
    data = CategoryChartData()
    data.categories = chart.categories
    series = {name: values for name, values in chart.series.items() if any(value is not None for value in values)}
    for name, values in series.items():
        data.add_series(name, values)
    frame: Any = slide.shapes.add_chart(_KINDS[chart.kind], *box, data)  # pyright: ignore[reportArgumentType]
    frame.name = "chart"
    drawn = frame.chart
    drawn.has_title = True
    drawn.chart_title.text_frame.text = chart.title
    drawn.chart_title.text_frame.paragraphs[0].runs[0].font.size = Pt(14)
    drawn.has_legend = len(series) > 1
    if drawn.has_legend:
        drawn.legend.position = XL_LEGEND_POSITION.BOTTOM
        drawn.legend.include_in_layout = False
    drawn.font.size = Pt(11)
    drawn.value_axis.tick_labels.number_format = chart.number_format
    drawn.value_axis.tick_labels.number_format_is_linked = False
    drawn.value_axis.major_gridlines.format.line.color.rgb = LINE
    drawn.value_axis.format.line.fill.background()
    drawn.category_axis.format.line.color.rgb = LINE
    for drawn_series in drawn.plots[0].series:
        drawn_series.smooth = False


def _add_table(slide: Slide, table: PartTable, box: Box) -> None:
    left, top, width, height = box
    rows, columns = len(table.rows), len(table.rows[0])
    row_height = min(height // rows, Pt(30))
    frame: Any = slide.shapes.add_table(rows, columns, left, top, width, row_height * rows)  # pyright: ignore[reportArgumentType]
    frame.name = "table"
    first = width * 55 // 100 if columns > 1 else width
    for place, column in enumerate(frame.table.columns):
        column.width = first if place == 0 else (width - first) // (columns - 1)  # pyright: ignore[reportAttributeAccessIssue]
    for row, cells in enumerate(table.rows):
        for column, text in enumerate(cells):
            cell = frame.table.cell(row, column)
            cell.text = text
            for paragraph in cell.text_frame.paragraphs:
                paragraph.font.size = Pt(13)
                if _is_figure(column, table):
                    paragraph.alignment = PP_ALIGN.RIGHT


def _is_figure(column: int, table: PartTable) -> bool:
    """Whether a column behind the first holds nothing but figures, which stand on the right."""
    cells = [row[column] for row in table.rows[1:] if row[column]]
    return column > 0 and bool(cells) and all(_FIGURE.fullmatch(cell) for cell in cells)
