"""Put buttons below a message in Slack, and what was decided in their place; read what a click says.

What a button does is in `answers.slack_answers`. A button carries all that is needed to know its message again: the key
of the action, and which answers the message offers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from cs_pipeline.channels.block_layout import Block
from cs_pipeline.channels.slack_blocks import LONGEST_SECTION, MOST_BLOCKS, escape_mrkdwn

Verb = Literal["acknowledge", "snooze", "not_a_risk", "approve", "hold", "done"]
VERBS: tuple[Verb, ...] = get_args(Verb)
LABELS: Mapping[Verb, str] = {
    "acknowledge": "I look after it",
    "snooze": "Snooze a week",
    "not_a_risk": "Not a risk, because …",
    "approve": "Approve what waits",
    "hold": "Hold this play",
    "done": "Done",
}
DECIDED: Mapping[Verb, str] = {
    "acknowledge": "is looked after by",
    "snooze": "was snoozed by",
    "not_a_risk": "is not a risk, says",
    "approve": "was approved by",
    "hold": "was put on hold by",
    "done": "was done by",
}
"""What is written of an answer, before who gave it."""
LAST: tuple[Verb, ...] = ("not_a_risk", "done")
"""Answers after which nothing is left to be said."""

BUTTONS, DECISIONS = "cs_pipeline_buttons", "cs_pipeline_decisions"  # ids of the two blocks
REASON = "cs_pipeline_reason"  # of the dialog that asks for one
LONGEST_REASON = 500


@dataclass(frozen=True)
class Asked:
    """What a button belongs to: the key of its action, and the answers that its message offers."""

    action_key: str
    verbs: tuple[Verb, ...]

    @property
    def value(self) -> str:
        """As the button carries it."""
        return f"{','.join(self.verbs)} {self.action_key}"

    @staticmethod
    def of(action_key: str, verbs: object) -> "Asked | None":
        """Of an action with those answers; None where there is none that is known."""
        offered = {str(each) for each in verbs} if isinstance(verbs, list | tuple) else set[str]()
        known: tuple[Verb, ...] = tuple(verb for verb in VERBS if str(verb) in offered)
        return Asked(action_key, known) if action_key and known else None

    @staticmethod
    def read(value: object) -> "Asked | None":
        """What a button carries; None where it is none of ours."""
        verbs, _, key = value.partition(" ") if isinstance(value, str) else ("", "", "")
        return Asked.of(key, verbs.split(","))


@dataclass(frozen=True)
class Given:
    """An answer that somebody gave."""

    verb: Verb
    by: str
    at: datetime
    reason: str | None = None

    @property
    def words(self) -> str:
        """A line of markup."""
        because = f": {escape_mrkdwn(self.reason)}" if self.reason else ""
        return f"*It {DECIDED[self.verb]} {escape_mrkdwn(self.by)}* ({self.at:%-d %B %Y, %H:%M} UTC){because}"


def with_buttons(blocks: Sequence[Block], asked: Asked, given: Sequence[Given] = ()) -> list[Block]:
    """A message's blocks with what was decided, and buttons for what can be decided still."""
    own = [block for block in blocks if block.get("block_id") not in (BUTTONS, DECISIONS)][: MOST_BLOCKS - 2]
    if given:
        text = "\n".join(each.words for each in given)[:LONGEST_SECTION]
        own.append({"type": "section", "block_id": DECISIONS, "text": {"type": "mrkdwn", "text": text}})
    done = {each.verb for each in given}
    left: list[Verb] = [verb for verb in asked.verbs if verb not in done]
    if "hold" in done and "approve" not in done and "approve" not in left:
        left.append("approve")  # what is on hold goes on when somebody approves it
    if not left or done.intersection(LAST):
        return own
    return [*own, {"type": "actions", "block_id": BUTTONS, "elements": [_button(verb, asked) for verb in left]}]


def _button(verb: Verb, asked: Asked) -> dict[str, Any]:
    label = {"type": "plain_text", "text": LABELS[verb]}
    return {"type": "button", "action_id": verb, "text": label, "value": asked.value}


def dialog(asked: Asked, conversation: str, timestamp: str) -> dict[str, Any]:
    """The dialog that asks why something is no risk."""
    return {
        "type": "modal",
        "callback_id": REASON,
        "private_metadata": f"{conversation} {timestamp} {asked.value}",
        "title": {"type": "plain_text", "text": "Not a risk"},
        "submit": {"type": "plain_text", "text": "Say so"},
        "close": {"type": "plain_text", "text": "Back"},
        "blocks": [
            {
                "type": "input",
                "block_id": REASON,
                "label": {"type": "plain_text", "text": "Because …"},
                "hint": {"type": "plain_text", "text": "Others see it. Nobody is told of it again for a month."},
                "element": {
                    "type": "plain_text_input",
                    "action_id": REASON,
                    "multiline": True,
                    "max_length": LONGEST_REASON,
                },
            }
        ],
    }
