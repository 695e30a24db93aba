"""The PowerPoint file that a pack is made of: the team's own, `<config>/qbr.pptx`, or ours.

A template has two layouts, LAYOUTS, whose placeholders have the names that the pack fills. In PowerPoint a placeholder
is named in the selection pane of the slide master; `cs-pipeline report template` writes ours, to be restyled.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR
from pptx.exc import PackageNotFoundError
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml import parse_xml
from pptx.presentation import Presentation as Deck
from pptx.slide import SlideLayout
from pptx.util import Inches, Length, Pt

from cs_pipeline.errors import UserError

FILE = "qbr.pptx"
COVER, PART = "Cover", "Part"
LAYOUTS: Mapping[str, tuple[str, ...]] = {
    COVER: ("title", "subtitle"),
    PART: ("title", "findings", "chart", "table", "notes"),
}
"""Names of the placeholders, by the name of the layout. `notes` stays empty: it is for the account's own notes."""

_WIDTH, _HEIGHT = Inches(13.333), Inches(7.5)
_PLACES: Mapping[str, tuple[float, float, float, float]] = {
    "title": (0.6, 0.4, 12.1, 0.9),
    "findings": (0.6, 1.35, 12.1, 1.5),
    "chart": (0.6, 2.95, 6.1, 3.4),
    "table": (6.95, 2.95, 5.8, 3.4),
    "notes": (0.6, 6.45, 12.1, 0.8),
    "cover title": (0.9, 2.3, 11.5, 1.5),
    "cover subtitle": (0.9, 3.9, 11.5, 1.4),
}
"""Left, top, width and height in inches."""
_THEME = {b"4F81BD": b"1F6F5C", b"C0504D": b"9AA4AD", b"9BBB59": b"E3B341"}
"""Colours of the library's theme, and ours: of the first three series of a chart, and of tables."""
_PROMPT = "Your notes: what you want to say here"
_ACCENT, _INK, _SOFT = RGBColor(0x1F, 0x6F, 0x5C), RGBColor(0x1D, 0x27, 0x33), RGBColor(0x5D, 0x6B, 0x7A)


def open_template(path: Path | None) -> Deck:
    """The template at `path`, or ours, without slides. Raises UserError that names what it lacks."""
    if path is None:
        return shipped_template()
    try:
        deck = Presentation(str(path))
    except (PackageNotFoundError, BadZipFile, KeyError, ValueError):
        raise UserError(f"{path} is no PowerPoint file (.pptx); write one with `cs-pipeline report template`") from None
    for layout, names in LAYOUTS.items():
        _check(deck, layout, names, path)
    _drop_slides(deck)
    return deck


def layout_named(deck: Deck, name: str) -> SlideLayout:
    """A layout of a template that was checked."""
    return next(layout for layout in deck.slide_layouts if layout.name == name)


def shipped_template() -> Deck:
    """Ours: plain, 16 to 9, made of the library's own file."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = _WIDTH, _HEIGHT
    cover, comparison = deck.slide_layouts[0], deck.slide_layouts[4]
    layouts: Any = deck.slide_layouts
    for layout in list(layouts):
        if layout not in (cover, comparison):
            deck.slide_layouts.remove(layout)
    theme: Any = deck.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    for old, new in _THEME.items():
        theme._blob = theme.blob.replace(old, new)
    _arrange(cover, COVER, {0: "title", 1: "subtitle"}, "cover ")
    _arrange(comparison, PART, {0: "title", 1: "findings", 2: "chart", 3: "notes", 4: "table"})
    return deck


def _check(deck: Deck, layout: str, names: tuple[str, ...], path: Path) -> None:
    found = next((each for each in deck.slide_layouts if each.name == layout), None)
    if found is None:
        there = ", ".join(each.name for each in deck.slide_layouts)
        raise UserError(
            f"{path}: has no layout named '{layout}'; it has: {there}. `cs-pipeline report template` writes one"
        )
    there = [placeholder.name for placeholder in found.placeholders]
    for name in names:
        if name not in there:
            raise UserError(
                f"{path}: the layout '{layout}' has no placeholder named '{name}'; it has: {', '.join(there)}. "
                "Name it in PowerPoint: View, Slide Master, then Home, Arrange, Selection Pane"
            )


def _drop_slides(deck: Deck) -> None:
    """A template may hold slides that show how it looks; the pack does not."""
    slides = deck.slides._sldIdLst
    for slide in list(slides):
        deck.part.drop_rel(slide.rId)
        slides.remove(slide)


def _arrange(layout: SlideLayout, name: str, names: Mapping[int, str], before: str = "") -> None:
    """Name and place the placeholders of a layout; dates, footers and numbers go."""
    layout.name = name
    placeholders: Any = layout.placeholders
    for placeholder in list(placeholders):
        called = names.get(placeholder.placeholder_format.idx)
        if called is None:
            placeholder._element.getparent().remove(placeholder._element)
            continue
        placeholder.name = called
        left, top, width, height = _PLACES[before + called]
        placeholder.left, placeholder.top = Inches(left), Inches(top)
        placeholder.width, placeholder.height = Inches(width), Inches(height)
        _style(placeholder, called, is_cover=bool(before))
    _add_bar(layout, is_cover=bool(before))


def _add_bar(layout: SlideLayout, *, is_cover: bool) -> None:
    """A bar of our colour: at the left of a cover, before the title of a part."""
    left, top, width, height = (0.0, 0.0, 0.35, 7.5) if is_cover else (0.0, 0.45, 0.18, 0.62)
    tree: Any = layout.shapes._spTree
    box = {"x": Inches(left), "y": Inches(top), "cx": Inches(width), "cy": Inches(height)}
    tree.insert(
        2,
        parse_xml(
            '<p:sp xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
            'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
            '<p:nvSpPr><p:cNvPr id="90" name="bar"/><p:cNvSpPr/><p:nvPr userDrawn="1"/></p:nvSpPr>'
            f'<p:spPr><a:xfrm><a:off x="{box["x"]}" y="{box["y"]}"/><a:ext cx="{box["cx"]}" cy="{box["cy"]}"/></a:xfrm>'
            '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
            f'<a:solidFill><a:srgbClr val="{_ACCENT}"/></a:solidFill><a:ln><a:noFill/></a:ln></p:spPr></p:sp>'
        ),
    )


def _style(placeholder: Any, called: str, *, is_cover: bool) -> None:
    size, colour = {
        "title": (Pt(40 if is_cover else 28), _ACCENT),
        "subtitle": (Pt(18), _SOFT),
        "findings": (Pt(16), _INK),
        "notes": (Pt(12), _SOFT),
    }.get(called, (Pt(12), _INK))
    frame = placeholder.text_frame
    frame.word_wrap = True
    frame.vertical_anchor = MSO_ANCHOR.BOTTOM if is_cover and called == "title" else MSO_ANCHOR.TOP
    if called == "notes":
        frame.text = _PROMPT
    _level_style(placeholder, size, colour, is_bold=called == "title", has_bullets=called == "findings")


def _level_style(placeholder: Any, size: Length, colour: RGBColor, *, is_bold: bool, has_bullets: bool) -> None:
    """The style of what is written into the placeholder, in the list style of the layout."""
    body = placeholder._element.txBody
    namespace = "http://schemas.openxmlformats.org/drawingml/2006/main"
    styles = body.find(f"{{{namespace}}}lstStyle")
    if styles is None:
        styles = parse_xml(f'<a:lstStyle xmlns:a="{namespace}"/>')
        body.insert(1, styles)
    for child in list(styles):
        styles.remove(child)
    bullet = '<a:buFont typeface="Arial"/><a:buChar char="•"/>' if has_bullets else "<a:buNone/>"
    indent = 'marL="228600" indent="-228600"' if has_bullets else 'marL="0" indent="0"'
    fill = f'<a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>'
    styles.append(
        parse_xml(
            f'<a:lvl1pPr xmlns:a="{namespace}" {indent} algn="l">{bullet}'
            f'<a:defRPr sz="{round(size.pt * 100)}" b="{int(is_bold)}">{fill}</a:defRPr></a:lvl1pPr>'
        )
    )
