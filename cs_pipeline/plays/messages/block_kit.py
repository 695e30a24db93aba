"""Slack messages out of Block Kit written as YAML, with Jinja in its texts.

The YAML is read before anything is filled in, so a value can change a text but never the shape of a message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from cs_pipeline.plays.messages import loader
from cs_pipeline.plays.messages.environment import Template, TemplateError
from cs_pipeline.plays.messages.loader import Piece, Tree

NEEDED = {
    "header": ("text",),
    "section": ("text", "fields"),
    "context": ("elements",),
    "actions": ("elements",),
}
"""What a block of a type must have, one of it at least, to be worth showing."""

_Compiled = Mapping[str, "_Compiled"] | Sequence["_Compiled"] | Template | str


@dataclass(frozen=True)
class SlackTemplate:
    """`text` is what a notification shows; `blocks` is the message."""

    text: Template
    blocks: Sequence[_Compiled]

    @classmethod
    def read(cls, path: Path, mrkdwn: jinja2.Environment, plain: jinja2.Environment) -> "SlackTemplate":
        """The template in a file. Raises TemplateError."""
        tree = loader.as_tree(path)
        if not isinstance(tree, dict) or set(tree) != {"text", "blocks"}:
            raise TemplateError(f"{path}:1: expected the fields text and blocks")
        text, blocks = tree["text"], tree["blocks"]
        if not isinstance(text, Piece):
            raise TemplateError(f"{path}:1: text: expected a text")
        if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
            raise TemplateError(f"{path}:1: blocks: expected a list of blocks")

        def compiled(node: Tree, environment: jinja2.Environment) -> _Compiled:
            if isinstance(node, Piece):
                is_fixed = "{{" not in node.text and "{%" not in node.text
                return node.text if is_fixed else Template(environment, node.text, path, node.line)
            if isinstance(node, list):
                return [compiled(each, environment) for each in node]
            kind = node.get("type")
            is_mrkdwn = isinstance(kind, Piece) and kind.text == "mrkdwn"
            return {name: compiled(each, mrkdwn if is_mrkdwn else plain) for name, each in node.items()}

        return cls(Template(plain, text.text, path, text.line), [compiled(block, plain) for block in blocks])

    def check_names(self, known: Sequence[str]) -> None:
        """Raises TemplateError for the first variable that is not in `known`."""
        for template in (self.text, *_templates(self.blocks)):
            template.check_names(known)

    def render_blocks(self, values: Mapping[str, object]) -> list[dict]:
        """The blocks; a text that came out empty is left out, and so is a block of which nothing is left."""
        blocks = [_filled(block, values) for block in self.blocks]
        return [block for block in blocks if isinstance(block, dict)]


def _filled(node: _Compiled, values: Mapping[str, object]) -> object:
    if isinstance(node, Template):
        return node.render(values).strip()
    if isinstance(node, str):
        return node
    if isinstance(node, Mapping):
        filled = {name: _filled(each, values) for name, each in node.items()}
        return _kept({name: value for name, value in filled.items() if value not in (None, "", [])})
    return [value for each in node if (value := _filled(each, values)) not in (None, "")]


def _kept(node: dict[str, object]) -> dict[str, object] | None:
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


def _templates(node: _Compiled) -> list[Template]:
    if isinstance(node, Template):
        return [node]
    if isinstance(node, str):
        return []
    children = node.values() if isinstance(node, Mapping) else node
    return [template for child in children for template in _templates(child)]
