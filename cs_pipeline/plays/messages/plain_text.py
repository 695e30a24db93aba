"""Derive the plain-text part of an e-mail from the same MJML as its HTML, so that the two say the same.

Only text, buttons and rules; what has the class `not-in-text` is left out.
"""

import re
import textwrap
from collections.abc import Iterator
from xml.etree import ElementTree

WIDTH = 76
LEFT_OUT = "not-in-text"
RULE = "-" * 24
_SPACE = re.compile(r"\s+")
_EMPTY_LINE = re.compile(r"\n\s*\n")
_PARAGRAPH = textwrap.TextWrapper(WIDTH, break_long_words=False, break_on_hyphens=False)
_ITEM = textwrap.TextWrapper(WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def plain_text(mjml: str) -> str:
    """The mail as text. Raises ValueError when `mjml` is not well-formed XML."""
    try:
        root = ElementTree.fromstring(mjml)
    except ElementTree.ParseError as error:
        raise ValueError(f"not well-formed: {error}") from None
    body = root.find("mj-body")
    paragraphs = [] if body is None else [part for part in _paragraphs(body) if part.strip()]
    return "\n\n".join(paragraphs) + "\n"


def _paragraphs(element: ElementTree.Element) -> Iterator[str]:
    if LEFT_OUT in (element.get("css-class") or "").split():
        return
    match element.tag:
        case "mj-text":
            yield from _wrapped(_inline(element))
        case "mj-button":
            yield f"{_inline(element).strip()}:\n{element.get('href', '')}"
        case "mj-divider":
            yield RULE
        case "mj-table":
            yield "\n".join(_cells(element))
        case _:
            for child in element:
                yield from _paragraphs(child)


def _inline(element: ElementTree.Element) -> str:
    """Text of an element with its children: `\\n` ends a line, `\\n\\n` a paragraph."""
    text = _collapsed(element.text)
    for child in element:
        inner = _inline(child)
        match child.tag:
            case "br":
                inner = "\n"
            case "p" | "ul" | "ol" | "h1" | "h2" | "h3":
                inner = f"\n\n{inner.strip()}\n\n"
            case "li":
                inner = f"\n- {inner.strip()}"
            case "a":
                href = child.get("href", "")
                inner = inner if inner.strip() == href else f"{inner} ({href})"
        text += inner + _collapsed(child.tail)
    return text


def _cells(table: ElementTree.Element) -> Iterator[str]:
    """A row a line where the table has headings, else a cell a line: then it is only laid out as a table."""
    has_headings = table.find(".//th") is not None
    for row in table.iter("tr"):
        cells = [" ".join(_inline(cell).split()) for cell in row if cell.tag in ("td", "th")]
        yield from [" · ".join(cells)] if has_headings else cells


def _wrapped(text: str) -> Iterator[str]:
    for paragraph in _EMPTY_LINE.split(text):
        lines = [" ".join(line.split()) for line in paragraph.strip().split("\n")]
        yield "\n".join(
            line if len(line) <= WIDTH else (_ITEM if line.startswith("- ") else _PARAGRAPH).fill(line)
            for line in lines
            if line
        )


def _collapsed(text: str | None) -> str:
    return _SPACE.sub(" ", text) if text else ""
