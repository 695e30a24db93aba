"""Post messages to Slack's channels and people, with the vendor's library.

How a message is posted and looked for, and what the answers mean for the outbox. The action key travels as message
metadata, where the history shows it again, so an uncertain message can be settled by looking. Which conversation a
recipient has is in `slack_conversations`, the client in `slack_client`.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from cs_pipeline.addresses import same_spelling
from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.http import BROKEN_EXCHANGE, TIMEOUT_SECONDS, broken_off, redacted
from cs_pipeline.channels.message import LookupResult, Message, Outcome
from cs_pipeline.channels.refusals import (
    RETRY_SOON,
    SLACK,
    Meaning,
    meaning_of_code,
    meaning_of_status,
    outcome_of,
)
from cs_pipeline.channels.slack_blocks import escape_mrkdwn
from cs_pipeline.channels.slack_buttons import Asked, with_buttons
from cs_pipeline.channels.slack_client import (
    GARBAGE,
    TooMuchToReadError,
    asked_to_wait,
    client_of,
    code_of,
    status_of,
)
from cs_pipeline.channels.slack_conversations import Conversations
from cs_pipeline.channels.slack_pictures import WAIT_SECONDS, WITHOUT_PICTURES, Uploads

EVENT_TYPE = "cs_pipeline_action"
NO_THREAD = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message"})
"""Errors over the thread of a message, which can be posted without it."""

SECONDS_BETWEEN = 1.0
LONGEST_NOTIFICATION = 3_000
LOOK_BACK = timedelta(days=1)


class SlackChannel(BaseChannel):
    """Posts as the bot of `token`. Recipients: `#channel`, a channel's id, or a person's e-mail address."""

    name = "slack"

    def __init__(
        self,
        token: SecretStr,
        *,
        base_url: str,
        timeout_seconds: float = TIMEOUT_SECONDS,
        seconds_between: float = SECONDS_BETWEEN,
        seconds_for_pictures: float = WAIT_SECONDS,
        has_buttons: bool = False,
    ) -> None:
        """`has_buttons`: somebody listens to clicks, so that messages may have buttons."""
        self._token = token
        self.seconds_between = seconds_between
        self._posted_at: dict[str, float] = {}
        self._slack = client_of(token, base_url, timeout_seconds)
        self._conversations = Conversations(self._slack)
        self._uploads = Uploads(self._slack, seconds_for_pictures)
        self._has_buttons = has_buttons

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Post each message; `provider_id` names it and its thread. People get theirs as a direct message.

        A message whose payload names a `thread` (a provider id) answers there, and is shown in the conversation as
        well when it says `is_broadcast`.
        """
        return [self._deliver(message) for message in messages]

    def turn_of(self, message: Message) -> str:
        """Its conversation: Slack takes about one message a second in each."""
        return same_spelling(message.recipient)

    def _deliver(self, message: Message) -> Outcome:
        try:
            conversation = self._conversations.postable(message.recipient)
        except (*BROKEN_EXCHANGE, *GARBAGE) as error:
            return self._not_posted(error, message)
        shown, missing = self._uploads.shown(message)
        try:
            answer = self._post(conversation, shown, _thread(message))
        except (*BROKEN_EXCHANGE, *GARBAGE) as error:
            return self._posted(error, message)
        if not answer["ts"]:
            return Outcome("uncertain", detail="Slack says ok, but not which message it made")
        return Outcome(
            "sent",
            provider_id=_provider_id(str(answer["channel"]), str(answer["ts"]), _root_in(answer)),
            detail=f"{WITHOUT_PICTURES}: {redacted(missing, without=self._secrets(message))}" if missing else None,
        )

    def _post(self, conversation: str, message: Message, thread: str | None) -> SlackResponse:
        self._wait_for_turn(conversation)
        try:
            return self._slack.chat_postMessage(
                channel=conversation,
                # Shown in notifications, and read as markup like any text.
                text=escape_mrkdwn(message.subject)[:LONGEST_NOTIFICATION],
                blocks=self._blocks(message),  # pyright: ignore[reportArgumentType]
                metadata={"event_type": EVENT_TYPE, "event_payload": {"action_key": message.action_key}},
                thread_ts=thread,
                reply_broadcast=bool(message.payload.get("is_broadcast")) if thread else None,
                unfurl_links=False,
                unfurl_media=False,
            )
        except SlackApiError as error:
            if thread is None or code_of(error) not in NO_THREAD:
                raise
            return self._post(conversation, message, None)  # its first message was deleted, and nothing was posted

    def _blocks(self, message: Message) -> object:
        blocks, answers = message.payload.get("blocks"), message.payload.get("answers")
        if not (self._has_buttons and isinstance(blocks, list) and answers):
            return blocks
        asked = Asked.of(message.action_key, answers)
        return with_buttons(blocks, asked) if asked else blocks

    def _wait_for_turn(self, conversation: str) -> None:
        """Slack takes about one message a second and conversation."""
        since_last = time.monotonic() - self._posted_at.get(conversation, -self.seconds_between)
        if since_last < self.seconds_between:
            time.sleep(self.seconds_between - since_last)
        self._posted_at[conversation] = time.monotonic()

    def find(self, message: Message) -> LookupResult:
        """Read the conversation, and the thread, back to the day before the message was due, for our metadata."""
        since = datetime.combine(message.due_on, datetime.min.time(), UTC) - LOOK_BACK
        try:
            conversation = self._conversations.readable(message.recipient)
            if conversation is None:
                return LookupResult("cannot_look", detail="the channel is not among those the bot may read")
            for post in self._conversations.posts(conversation, _thread(message), since):
                metadata = post.get("metadata") or {}
                if metadata.get("event_payload", {}).get("action_key") == message.action_key:
                    return LookupResult(
                        "found", provider_id=_provider_id(conversation, post["ts"], post.get("thread_ts"))
                    )
        except (*BROKEN_EXCHANGE, *GARBAGE, TooMuchToReadError) as error:
            return LookupResult("cannot_look", detail=self._redacted(error, message))
        return LookupResult("not_found")

    def _not_posted(self, error: Exception, message: Message) -> Outcome:
        """Looking a person up failed: nothing was posted, so whatever is not known to be final passes."""
        refusal = self._refusal(error, message, unknown="later")
        if refusal.status != "uncertain":
            return refusal
        return Outcome("retry", detail=refusal.detail, retry_after=asked_to_wait(error) or RETRY_SOON)

    def _posted(self, error: Exception, message: Message) -> Outcome:
        return self._refusal(error, message, unknown="perhaps")

    def _refusal(self, error: Exception, message: Message, unknown: Meaning) -> Outcome:
        """What Slack's answer means; `unknown` for a code that is in no table."""
        code, status, wait = code_of(error), status_of(error), asked_to_wait(error)
        if status is None:
            return broken_off(error, self._redacted(error, message))
        if status == 503 and wait is not None:
            return outcome_of("later", self._redacted(error, message), wait)
        if code is None or status >= 300:
            meaning: Meaning = "perhaps" if status < 300 else meaning_of_status(status)
            meaning = meaning if code is None else meaning_of_code(code, SLACK, meaning)
            return outcome_of(meaning, self._redacted(error, message), wait)
        words = f"Slack says {redacted(code, without=self._secrets(message))}"
        return outcome_of(meaning_of_code(code, SLACK, unknown), words, wait)

    def _redacted(self, error: Exception, message: Message) -> str:
        status, code = status_of(error), code_of(error)
        words = f"Slack answered {status}: {code or 'not in its own words'}" if status is not None else error
        return redacted(words, without=self._secrets(message))

    def _secrets(self, message: Message) -> tuple[str, str]:
        return (self._token.get_secret_value(), message.recipient if "@" in message.recipient else "")


def _provider_id(conversation: str, timestamp: str, root: str | None) -> str:
    """`<channel id>:<timestamp>`, and for an answer `:<timestamp of its thread's first message>` behind it."""
    return f"{conversation}:{timestamp}" + (f":{root}" if root and root != timestamp else "")


def _root_in(answer: SlackResponse) -> str | None:
    """The thread that a message was really posted into; None where it stands by itself."""
    message: Any = answer.get("message") or {}
    return message.get("thread_ts")


def _thread(message: Message) -> str | None:
    """The timestamp that names a thread to Slack: of its first message, whichever of its messages is given."""
    thread = message.payload.get("thread")
    return thread.rpartition(":")[2] if isinstance(thread, str) else None
