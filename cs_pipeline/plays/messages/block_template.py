"""Read and fill in messages made of blocks: YAML in the form of the channel's blocks, with Jinja in its texts.

The YAML is read before anything is filled in, so a value can change a text but never the shape of a message. What a
channel's blocks look like is its `BlockLayout`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from cs_pipeline.channels.block_layout import BlockLayout
from cs_pipeline.plays.messages import loader
from cs_pipeline.plays.messages.environment import Template, TemplateError
from cs_pipeline.plays.messages.loader import Piece, Tree

_Compiled = Mapping[str, "_Compiled"] | Sequence["_Compiled"] | Template | str


@dataclass(frozen=True)
class BlockTemplate:
    """`text` is what a notification shows; `blocks` is the message, laid out as its channel has it."""

    text: Template
    blocks: Sequence[_Compiled]
    layout: BlockLayout

    @classmethod
    def read(
        cls, path: Path, layout: BlockLayout, markup: jinja2.Environment, plain: jinja2.Environment
    ) -> "BlockTemplate":
        """The template in a file. Raises TemplateError."""
        tree = loader.as_tree(path)
        if not isinstance(tree, dict) or set(tree) != {"text", layout.field}:
            raise TemplateError(f"{path}:1: expected the fields text and {layout.field}")
        text, blocks = tree["text"], tree[layout.field]
        if not isinstance(text, Piece):
            raise TemplateError(f"{path}:1: text: expected a text")
        if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
            raise TemplateError(f"{path}:1: {layout.field}: expected a list of blocks")

        def compiled(node: Tree, environment: jinja2.Environment) -> _Compiled:
            if isinstance(node, Piece):
                is_fixed = "{{" not in node.text and "{%" not in node.text
                return node.text if is_fixed else Template(environment, node.text, path, node.line)
            if isinstance(node, list):
                return [compiled(each, environment) for each in node]
            kind = node.get("type")
            is_markup = layout.is_markup(kind.text if isinstance(kind, Piece) else None)
            return {name: compiled(each, markup if is_markup else plain) for name, each in node.items()}

        return cls(Template(plain, text.text, path, text.line), [compiled(block, plain) for block in blocks], layout)

    def check_names(self, known: Sequence[str]) -> None:
        """Raises TemplateError for the first variable that is not in `known`."""
        for template in (self.text, *_templates(self.blocks)):
            template.check_names(known)

    def render_blocks(self, values: Mapping[str, object]) -> list[dict]:
        """The blocks; a text that came out empty is left out, and so is a block of which nothing is left."""
        blocks = [_filled(block, values, self.layout) for block in self.blocks]
        return [block for block in blocks if isinstance(block, dict)]


def _filled(node: _Compiled, values: Mapping[str, object], layout: BlockLayout) -> object:
    if isinstance(node, Template):
        return node.render(values).strip()
    if isinstance(node, str):
        return node
    if isinstance(node, Mapping):
        return layout.kept({name: _filled(each, values, layout) for name, each in node.items()})
    return [value for each in node if (value := _filled(each, values, layout)) not in (None, "")]


def _templates(node: _Compiled) -> list[Template]:
    if isinstance(node, Template):
        return [node]
    if isinstance(node, str):
        return []
    children = node.values() if isinstance(node, Mapping) else node
    return [template for child in children for template in _templates(child)]
