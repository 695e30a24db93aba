"""Describe how a channel lays out messages made of blocks: the form of its templates, its markup, its limits.

A layout is known without its provider. Those there are stand beside their channels, such as `slack_blocks.LAYOUT`;
templates are filled in by `plays.messages.block_template`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

Block = dict[str, object]


@dataclass(frozen=True)
class BlockLayout:
    """What differs between Slack's Block Kit and its kin.

    - `field`: where the blocks stand in a template, and in the payload of a message;
    - `is_markup`: whether the texts directly in a node of this type (None where it has none) are markup;
    - `kept`: a node whose texts are filled in, completed; None when nothing of it is left to show;
    - `fit`: the blocks within the provider's limits;
    - `plain`: blocks that show one text as it is, line by line;
    - `escape`: a text that the markup shows as it is; `link`: a label and an address as the markup's link;
    - `as_html`: how the provider shows the markup, as safe HTML.
    """

    field: str
    is_markup: Callable[[str | None], bool]
    kept: Callable[[Block], Block | None]
    fit: Callable[[Sequence[Block]], list[Block]]
    plain: Callable[[str], list[Block]]
    escape: Callable[[str], str]
    link: Callable[[str, str], str]
    as_html: Callable[[str], Markup]


def without_empty(node: Mapping[str, object]) -> Block:
    """The fields of a node that came out with something in them."""
    return {name: value for name, value in node.items() if value not in (None, "", [])}
