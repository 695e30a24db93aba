"""Post messages into a channel of Microsoft Teams, through the webhook of a workflow.

Only the exchange, and what the workflow's answers mean for the outbox; how cards are laid out is in `adaptive_cards`. A
webhook has no way to look a message up, so what was not answered stays uncertain and is never posted again.
docs/teams.md says how the workflow is made.
"""

import json
import time
from collections.abc import Sequence
from urllib.error import HTTPError
from urllib.request import Request

from pydantic import SecretStr

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.http import (
    BROKEN_EXCHANGE,
    TIMEOUT_SECONDS,
    broken_off,
    is_web_address,
    opener_that_tells,
    redacted,
    seconds_in,
)
from cs_pipeline.channels.message import Message, Outcome
from cs_pipeline.channels.refusals import TEAMS, meaning_of_code, meaning_of_status, outcome_of
from cs_pipeline.errors import UserError
from cs_pipeline.settings import PREFIX

SECONDS_BETWEEN = 0.25  # Teams holds up whoever posts more than four times a second
MOST_READ = 10_000
CARD = "application/vnd.microsoft.card.adaptive"


class TeamsChannel(BaseChannel):
    """Posts every message as a card to the one channel behind `url`, which is a secret; a person is mentioned in it.

    Raises UserError when `url` is none.
    """

    name = "teams"

    def __init__(
        self,
        url: SecretStr,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        seconds_between: float = SECONDS_BETWEEN,
    ) -> None:
        if not is_web_address(url.get_secret_value()):
            raise UserError(f"{PREFIX}TEAMS_WEBHOOK_URL is not the address of a workflow's webhook (docs/teams.md)")
        self._url = url
        self._timeout = timeout_seconds
        self.seconds_between = seconds_between
        self._posted_at = -seconds_between
        self._opener = opener_that_tells()

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Post each message once. 202, or 200 where the workflow has an answer of its own, is `sent`."""
        return [self._post(message) for message in messages]

    def _post(self, message: Message) -> Outcome:
        self._wait_for_turn()
        body = json.dumps(request_of(message), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        request = Request(self._url.get_secret_value(), data=body, headers=headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout):
                return Outcome("sent")
        except HTTPError as error:
            with error:
                return _refusal(error)
        except BROKEN_EXCHANGE as error:
            secrets = (self._url.get_secret_value(), message.recipient if "@" in message.recipient else "")
            return broken_off(error, redacted(error, without=secrets))

    def _wait_for_turn(self) -> None:
        since_last = time.monotonic() - self._posted_at
        if since_last < self.seconds_between:
            time.sleep(self.seconds_between - since_last)
        self._posted_at = time.monotonic()


def request_of(message: Message) -> dict[str, object]:
    """What is posted: one card, with the person it is for mentioned above it. The action key is the card's `id`."""
    recipient = message.recipient
    is_person = "@" in recipient
    to = {
        "type": "TextBlock",
        "text": f"<at>{recipient}</at>" if is_person else f"For {recipient}",
        "isSubtle": True,
        "wrap": True,
    }
    mention = {
        "type": "mention",
        "text": f"<at>{recipient}</at>",
        "mentioned": {"id": recipient, "name": recipient},
    }
    elements = message.payload.get("body")
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "id": message.action_key,
        "fallbackText": message.subject,
        "body": [to, *(elements if isinstance(elements, list) else [])],
        "msteams": {"width": "Full", "entities": [mention] if is_person else []},
    }
    return {"type": "message", "attachments": [{"contentType": CARD, "contentUrl": None, "content": card}]}


def _refusal(error: HTTPError) -> Outcome:
    """What the workflow's answer means. Of its words only the code is kept: the rest may repeat what it was sent."""
    code, wait = _code(error), seconds_in(error.headers, "Retry-After")
    words = f"Teams answered {error.code}" + (f": {code}" if code else "")
    if error.code == 503 and wait is not None:
        return outcome_of("later", words, wait)
    return outcome_of(meaning_of_code(code, TEAMS, meaning_of_status(error.code)), words, wait)


def _code(error: HTTPError) -> str:
    """The workflow's error code, such as WorkflowTriggerIsNotEnabled; empty where the answer holds none."""
    try:
        code = json.loads(error.read(MOST_READ))["error"]["code"]
    except (*BROKEN_EXCHANGE, ValueError, LookupError, TypeError):
        return ""
    return code if isinstance(code, str) and code.isalnum() and len(code) <= 80 else ""
