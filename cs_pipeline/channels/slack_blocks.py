"""Lay out Slack messages in Block Kit: escaping, the limits of a message, and how its markup reads.

Everything known about blocks that does not need Slack itself. Which blocks a play sends is in its template.
"""

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

from cs_pipeline.channels.block_layout import Block, BlockLayout, without_empty

MOST_BLOCKS = 50
LONGEST_HEADER = 150
LONGEST_SECTION = 3_000
LONGEST_FIELD = 2_000
LONGEST_BUTTON = 75
MOST_FIELDS = 10
MOST_ELEMENTS = {"context": 10, "actions": 25}
LONGEST_MESSAGE = 13_200
"""Characters of all blocks together, above which Slack answers `msg_blocks_too_long`."""

NEEDED = {
    "header": ("text",),
    "section": ("text", "fields"),
    "context": ("elements",),
    "actions": ("elements",),
}
"""What a block of a type must have, one of it at least, to be worth showing."""

LOOK_ALIKES = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ"})


def escape_mrkdwn(text: str) -> str:
    """Text that Slack shows as it is: no mention, link or formatting can come out of it.

    Slack escapes `&`, `<` and `>`, and has no escape for formatting, so its signs give way to look-alikes; an
    underscore inside a word formats nothing and stays.
    """
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").translate(LOOK_ALIKES)
    return re.sub(r"(?<!\w)_|_(?!\w)", "ˍ", safe)


def slack_link(label: str, url: str) -> str:
    """A link of mrkdwn."""
    address = url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
    return f"<{address}|{escape_mrkdwn(label).replace('|', '¦')}>"


def is_mrkdwn(kind: str | None) -> bool:
    """Whether the texts of an object of this type are mrkdwn."""
    return kind == "mrkdwn"


def kept(node: Block) -> Block | None:
    """A block or text object without what came out empty; None when nothing of it is left."""
    node = without_empty(node)
    kind = node.get("type")
    if kind in ("mrkdwn", "plain_text"):
        if "text" not in node:
            return None
        # Verbatim: Slack then makes no links and mentions out of what merely looks like one.
        return {**node, "verbatim": True} if kind == "mrkdwn" else node
    if kind == "button" and not {"text", "url"} <= set(node):
        return None
    needed = NEEDED.get(str(kind), ())
    return node if not needed or any(name in node for name in needed) else None


def plain(text: str) -> list[Block]:
    """One section that shows `text` as it is."""
    return [{"type": "section", "text": {"type": "plain_text", "text": text[:LONGEST_SECTION]}}]


def fit(blocks: Sequence[dict]) -> list[dict]:
    """The blocks within Slack's limits: long texts are cut with an ellipsis, surplus blocks give way to a last line."""
    fitted = [_fit_block(block) for block in blocks]
    kept: list[dict] = []
    left = LONGEST_MESSAGE
    for block in fitted:
        size = sum(len(text) for text in _texts(block))
        if (len(kept) == MOST_BLOCKS - 1 and len(fitted) > MOST_BLOCKS) or size > left:
            note = f"… and {len(fitted) - len(kept)} more parts that do not fit into a Slack message."
            return [*kept, {"type": "context", "elements": [{"type": "plain_text", "text": note}]}]
        kept.append(block)
        left -= size
    return kept


def mrkdwn_as_html(text: str) -> Markup:
    """How Slack shows mrkdwn, as safe HTML: bold, italics, strike, code, links, mentions, line breaks."""
    html = str(escape(re.sub(r"&(amp|lt|gt);", lambda entity: _ENTITIES[entity[1]], _protect_controls(text))))
    for sign, tag in (("*", "strong"), ("_", "em"), ("~", "s"), ("`", "code")):
        mark = re.escape(sign)
        html = re.sub(rf"(?<!\w){mark}(?=\S)([^{mark}\n]+?)(?<=\S){mark}(?!\w)", rf"<{tag}>\1</{tag}>", html)
    html = html.replace("\n", "<br>")
    controls = _controls(text)
    return Markup(re.sub(r"\x02(\d+)\x03", lambda place: _control_as_html(controls[int(place[1])]), html))


_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}
_CONTROL = re.compile(r"<([^<>]*)>")


def _controls(text: str) -> list[str]:
    return _CONTROL.findall(text)


def _protect_controls(text: str) -> str:
    """`<…>` are links and mentions; each gives way to its number between two signs no text holds."""
    numbers = iter(range(len(_controls(text))))
    return _CONTROL.sub(lambda _: f"\x02{next(numbers)}\x03", re.sub(r"[\x02\x03]", "", text))


def _control_as_html(control: str) -> str:
    target, _, label = control.partition("|")
    shown = escape(re.sub(r"&(amp|lt|gt);", lambda entity: _ENTITIES[entity[1]], label or target.lstrip("!@#")))
    if target[:1] in "!@#":
        return f'<span class="mention">@{shown}</span>'
    if target.startswith(("http://", "https://", "mailto:")):
        return f'<a href="{escape(target.replace("&amp;", "&"))}">{shown}</a>'
    return str(shown)


def _fit_block(block: dict) -> dict:
    kind = block.get("type")
    longest = LONGEST_HEADER if kind == "header" else LONGEST_SECTION
    fitted = dict(block)
    if isinstance(block.get("text"), dict):
        fitted["text"] = _cut(block["text"], longest)
    if "fields" in block:
        fitted["fields"] = [_cut(text, LONGEST_FIELD) for text in block["fields"][:MOST_FIELDS]]
    if "elements" in block:
        elements = block["elements"][: MOST_ELEMENTS.get(str(kind), MOST_ELEMENTS["context"])]
        fitted["elements"] = [_fit_element(element) for element in elements]
    return fitted


def _fit_element(element: dict) -> dict:
    if isinstance(element.get("text"), dict):  # a button
        return {**element, "text": _cut(element["text"], LONGEST_BUTTON)}
    return _cut(element, LONGEST_SECTION) if "text" in element else element


def _cut(text: dict, longest: int) -> dict:
    """A text object no longer than `longest`, cut between words and never inside an entity or a link."""
    words = text["text"]
    if len(words) <= longest:
        return text
    kept = words[: longest - 1]
    kept = re.sub(r"(<[^<>]*|&\w{0,3})$", "", kept)
    return {**text, "text": kept.rstrip() + "…"}


def _texts(value: object) -> list[str]:
    """Every string in a block that Slack counts as its text."""
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for part in value.values() if isinstance(part, dict | list) for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return []


LAYOUT = BlockLayout(
    field="blocks",
    is_markup=is_mrkdwn,
    kept=kept,
    fit=fit,
    plain=plain,
    escape=escape_mrkdwn,
    link=slack_link,
    as_html=mrkdwn_as_html,
)
"""Messages made of Block Kit."""
