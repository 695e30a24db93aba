"""Lay out messages as Adaptive Cards for Microsoft Teams: escaping, limits, and how their Markdown reads.

Everything known about cards that does not need Teams itself. Which elements a play posts is in its template.
"""

import json
import re
from collections.abc import Sequence

from markupsafe import Markup, escape

from cs_pipeline.channels.block_layout import Block, BlockLayout, without_empty

LARGEST = 20_000
"""Bytes of all elements together. Teams refuses requests above 28 KB, and counts more than the JSON that it is sent."""

LONGEST_TEXT = 4_000
LONGEST_LABEL = 80
NEEDED = {
    "TextBlock": ("text",),
    "RichTextBlock": ("inlines",),
    "FactSet": ("facts",),
    "ActionSet": ("actions",),
    "Container": ("items",),
    "ColumnSet": ("columns",),
    "Column": ("items",),
}
"""What an element of a type must have to be worth showing."""

LOOK_ALIKES = str.maketrans({"*": "∗", "`": "ˋ", "~": "∼"})


def escape_markdown(text: str) -> str:
    """Text that Teams shows as it is: no formatting, link or mention can come out of it.

    Not every client of Teams knows backslashes, so signs of formatting give way to look-alikes; an underscore inside a
    word formats nothing and stays.
    """
    safe = text.translate(LOOK_ALIKES).replace("](", "] (").replace("<at>", "‹at›").replace("</at>", "‹/at›")
    return re.sub(r"(?<!\w)_|_(?!\w)", "ˍ", safe)


def markdown_link(label: str, url: str) -> str:
    """A link of the cards' Markdown."""
    address = url.replace("(", "%28").replace(")", "%29").replace(" ", "%20").replace("\n", "%0A")
    return f"[{escape_markdown(label).replace('[', '(').replace(']', ')')}]({address})"


def is_markdown(kind: str | None) -> bool:
    """Whether the texts of an element of this type are Markdown; a fact has no type."""
    return kind in ("TextBlock", None)


def kept(node: Block) -> Block | None:
    """An element without what came out empty; None when nothing of it is left."""
    node = without_empty(node)
    kind = str(node.get("type", "Fact" if "title" in node or "value" in node else ""))
    if kind == "Fact":
        return node if {"title", "value"} <= set(node) else None
    if kind == "Action.OpenUrl":
        return node if {"title", "url"} <= set(node) else None
    if any(name not in node for name in NEEDED.get(kind, ())):
        return None
    return {"wrap": True, **node} if kind == "TextBlock" else node


def plain(text: str) -> list[Block]:
    """Text blocks that show `text` as it is, one a line."""
    return [
        {"type": "TextBlock", "text": escape_markdown(line), "wrap": True, "spacing": "Small"}
        for line in text.splitlines()
        if line.strip()
    ]


def fit(elements: Sequence[Block]) -> list[Block]:
    """The elements within Teams' limits: long texts are cut, surplus elements give way to a last line."""
    kept_ones: list[Block] = []
    left = LARGEST
    for element in map(_cut, elements):
        left -= len(json.dumps(element, ensure_ascii=False).encode())
        if left < 0:
            note = f"… and {len(elements) - len(kept_ones)} more parts that do not fit into a Teams message."
            return [*kept_ones, {"type": "TextBlock", "text": note, "wrap": True, "isSubtle": True}]
        kept_ones.append(element)
    return kept_ones


def markdown_as_html(text: str) -> Markup:
    """How Teams shows the cards' Markdown, as safe HTML: bold, italics, links, mentions, line breaks."""
    html = str(escape(text))
    html = re.sub(r"\[([^\[\]\n]+)\]\(((?:https?://|mailto:)[^\s()]+)\)", r'<a href="\2">\1</a>', html)
    html = re.sub(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*", r"<strong>\1</strong>", html)
    html = re.sub(r"(?<![\w/])([*_])(?=\S)([^*_\n]+?)(?<=\S)\1(?!\w)", r"<em>\2</em>", html)
    html = re.sub(r"&lt;at&gt;(.+?)&lt;/at&gt;", r'<span class="mention">\1</span>', html)
    html = re.sub(r"(?m)^- ", "• ", html)
    return Markup(re.sub(r"\n+", "<br>", html))


def _cut(element: Block) -> Block:
    """The element with no text longer than anybody reads."""
    longest = {"text": LONGEST_TEXT, "value": LONGEST_TEXT, "title": LONGEST_LABEL}

    def cut(name: str, value: object) -> object:
        if isinstance(value, dict):
            return _cut(value)
        if isinstance(value, list):
            return [cut("", each) for each in value]
        most = longest.get(name)
        if most is None or not isinstance(value, str) or len(value) <= most:
            return value
        return re.sub(r"\[[^\[\]]*(\]\([^()]*)?$", "", value[: most - 1]).rstrip() + "…"

    return {name: cut(name, value) for name, value in element.items()}


LAYOUT = BlockLayout(
    field="body",
    is_markup=is_markdown,
    kept=kept,
    fit=fit,
    plain=plain,
    escape=escape_markdown,
    link=markdown_link,
    as_html=markdown_as_html,
)
"""Messages made of the elements of an Adaptive Card."""
