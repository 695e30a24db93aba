"""Turn a message written for Slack into the card that stands for it in Teams, where only Teams is connected.

So the shipped playbooks, a team's own Slack templates and notices to operations reach a team that has no Slack.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from cs_pipeline.channels.adaptive_cards import escape_markdown, fit, markdown_link
from cs_pipeline.channels.block_layout import Block
from cs_pipeline.channels.fallback import Instead
from cs_pipeline.channels.message import Message

_CODE = re.compile(r"`([^`\n]+)`")
_CONTROL = re.compile(r"<([^<>]*)>")
_ITALICS = re.compile(r"(?<!\w)_(?=\S)([^_\n]+?)(?<=\S)_(?!\w)")
_BOLD = re.compile(r"(?<!\w)\*(?=\S)([^*\n]+?)(?<=\S)\*(?!\w)")


def as_card(message: Message) -> Message:
    """The message for Teams, under the same key; threads are Slack's own and are left behind."""
    blocks = message.payload.get("blocks")
    body = [element for block in (blocks if isinstance(blocks, list) else []) for element in _elements(block)]
    return replace(message, channel="teams", payload={"body": fit(_with_separators(body))})


IN_TEAMS = Instead("teams", as_card, "in Microsoft Teams: no bot token of Slack is set")


def _elements(block: Mapping[str, Any]) -> Iterator[Block]:
    match block.get("type"):
        case "header":
            yield {"type": "TextBlock", "text": _markdown(block["text"]), "size": "Large", "weight": "Bolder"}
        case "section":
            yield from _of_section(block)
        case "context":
            words = " ".join(_markdown(each) for each in block["elements"] if "text" in each)
            yield {"type": "TextBlock", "text": words, "size": "Small", "isSubtle": True}
        case "actions":
            yield _actions(block["elements"])
        case "divider":
            yield {"type": "divider"}
        case "table":
            yield from _of_table(block)
        case "image":
            yield {"type": "TextBlock", "text": escape_markdown(block["alt_text"]), "size": "Small", "isSubtle": True}


def _of_section(block: Mapping[str, Any]) -> Iterator[Block]:
    if "text" in block:
        yield {"type": "TextBlock", "text": _markdown(block["text"])}
    facts = [_fact(field) for field in block.get("fields", [])]
    if facts:
        yield {"type": "FactSet", "facts": facts}
    if "accessory" in block:
        yield _actions([block["accessory"]])


def _of_table(block: Mapping[str, Any]) -> Iterator[Block]:
    """A line a row: its first cell, then what each of the others is."""
    heading, *rows = [[str(cell.get("text", "")) for cell in row] for row in block["rows"]]
    for first, *rest in rows:
        told = [f"{name.lower()} {value}" for name, value in zip(heading[1:], rest, strict=False) if value]
        words = " · ".join([f"**{escape_markdown(first)}**", *map(escape_markdown, told)])
        yield {"type": "TextBlock", "text": words, "size": "Small"}


def _fact(field: Mapping[str, str]) -> Block:
    """A field, whose first line is its heading where it has several."""
    heading, _, value = field["text"].partition("\n")
    if not value:
        heading, value = "", heading
    return {"title": _markdown({**field, "text": heading.strip("*")}), "value": _markdown({**field, "text": value})}


def _actions(elements: list[Mapping[str, Any]]) -> Block:
    buttons = [each for each in elements if each.get("type") == "button" and "url" in each]
    return {
        "type": "ActionSet",
        "actions": [{"type": "Action.OpenUrl", "title": each["text"]["text"], "url": each["url"]} for each in buttons],
    }


def _with_separators(elements: list[Block]) -> list[Block]:
    """The elements, with a line above those that followed a divider; what has nothing in it is left out."""
    kept: list[Block] = []
    is_divided = False
    for element in elements:
        if element["type"] == "divider":
            is_divided = True
        elif element.get("text") or element.get("facts") or element.get("actions"):
            shown = {**element, "wrap": True} if element["type"] == "TextBlock" else element
            kept.append({**shown, "separator": True} if is_divided else shown)
            is_divided = False
    return kept


def _markdown(text: Mapping[str, Any]) -> str:
    """A text object of Slack's in the cards' Markdown: bold, italics and links as meant, the rest as it is."""
    words = str(text["text"]).replace("\n", "\n\n")  # a single line end ends no line in every client of Teams
    if text.get("type") != "mrkdwn":
        return escape_markdown(words)
    controls: list[str] = []

    def put_aside(control: re.Match[str]) -> str:
        controls.append(_control(control[1]))
        return f"\x02{len(controls) - 1}\x03"

    words = _unescaped(_CONTROL.sub(put_aside, words.replace("\x02", "").replace("\x03", "")))
    words = _CODE.sub(r"\1", words)  # cards have no code, and a command is to be copied
    words = _between(_BOLD, words, "**{}**", lambda rest: _between(_ITALICS, rest, "_{}_", escape_markdown))
    return re.sub(r"\x02(\d+)\x03", lambda place: controls[int(place[1])], words)


def _between(pattern: re.Pattern[str], words: str, found: str, other: Callable[[str], str]) -> str:
    """`words` with what `pattern` finds written as `found` (`{}` is its place), and the rest as `other` has it."""
    parts = enumerate(pattern.split(words))
    return "".join(found.format(escape_markdown(part)) if place % 2 else other(part) for place, part in parts)


def _control(control: str) -> str:
    """What stands between angle brackets: a link, or a mention, which is a name here."""
    target, _, label = control.partition("|")
    if target.startswith(("http://", "https://", "mailto:")):
        url = _unescaped(target)
        return markdown_link(_unescaped(label) or url, url)
    return escape_markdown(_unescaped(label) or target.lstrip("!@#"))


def _unescaped(words: str) -> str:
    return words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
