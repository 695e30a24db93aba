"""Messages to Slack channels and people, with the vendor's library.

Only how a message is posted and looked for, and what Slack's answers mean for the outbox. The action key travels as
message metadata, where the history shows it again, so an uncertain message can be settled by looking.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request

from pydantic import SecretStr
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.http import (
    BROKEN_EXCHANGE,
    TIMEOUT_SECONDS,
    broken_off,
    opener_that_tells,
    redacted,
    seconds_in,
    silenced,
)
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

EVENT_TYPE = "cs_pipeline_action"
NO_THREAD = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message"})
"""Errors over the thread of a message, which can be posted without it."""

SECONDS_BETWEEN = 1.0
LONGEST_NOTIFICATION = 3_000
PAGE = 200
MOST_PAGES = 25
LOOK_BACK = timedelta(days=1)
GARBAGE = (ValueError, AttributeError, TypeError, KeyError, SlackClientError)
"""What the vendor's library raises over an answer that is not Slack's JSON."""


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
    ) -> None:
        self._token = token
        self._seconds_between = seconds_between
        self._conversations: dict[str, str] = {}
        self._posted_at: dict[str, float] = {}
        self._slack = _BoundedClient(
            token=token.get_secret_value(),
            base_url=base_url,
            timeout=timeout_seconds,  # pyright: ignore[reportArgumentType] - handed to urllib, which takes fractions
            logger=silenced(f"{__name__}.vendor"),
            # The library's own retry posts again after a reset connection, when the first post may have arrived.
            retry_handlers=[],
        )

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Post each message; `provider_id` names it and its thread. People get theirs as a direct message.

        A message whose payload names a `thread` (a provider id) answers there, and is shown in the conversation as
        well when it says `is_broadcast`.
        """
        return [self._deliver(message) for message in messages]

    def _deliver(self, message: Message) -> Outcome:
        try:
            conversation = self._postable(message.recipient)
        except (*BROKEN_EXCHANGE, *GARBAGE) as error:
            return self._not_posted(error, message)
        try:
            answer = self._post(conversation, message, _thread(message))
        except (*BROKEN_EXCHANGE, *GARBAGE) as error:
            return self._posted(error, message)
        if not answer["ts"]:
            return Outcome("uncertain", detail="Slack says ok, but not which message it made")
        return Outcome("sent", provider_id=_provider_id(str(answer["channel"]), str(answer["ts"]), _root_in(answer)))

    def _post(self, conversation: str, message: Message, thread: str | None) -> SlackResponse:
        self._wait_for_turn(conversation)
        try:
            return self._slack.chat_postMessage(
                channel=conversation,
                # Shown in notifications, and read as markup like any text.
                text=escape_mrkdwn(message.subject)[:LONGEST_NOTIFICATION],
                blocks=message.payload.get("blocks"),  # pyright: ignore[reportArgumentType]
                metadata={"event_type": EVENT_TYPE, "event_payload": {"action_key": message.action_key}},
                thread_ts=thread,
                reply_broadcast=bool(message.payload.get("is_broadcast")) if thread else None,
                unfurl_links=False,
                unfurl_media=False,
            )
        except SlackApiError as error:
            if thread is None or _code(error) not in NO_THREAD:
                raise
            return self._post(conversation, message, None)  # its first message was deleted, and nothing was posted

    def _wait_for_turn(self, conversation: str) -> None:
        """Slack takes about one message a second and conversation."""
        since_last = time.monotonic() - self._posted_at.get(conversation, -self._seconds_between)
        if since_last < self._seconds_between:
            time.sleep(self._seconds_between - since_last)
        self._posted_at[conversation] = time.monotonic()

    def find(self, message: Message) -> LookupResult:
        """Read the conversation, and the thread, back to the day before the message was due, for our metadata."""
        since = datetime.combine(message.due_on, datetime.min.time(), UTC) - LOOK_BACK
        try:
            conversation = self._readable(message.recipient)
            if conversation is None:
                return LookupResult("cannot_look", detail="the channel is not among those the bot may read")
            for post in self._posts(conversation, _thread(message), since):
                metadata = post.get("metadata") or {}
                if metadata.get("event_payload", {}).get("action_key") == message.action_key:
                    return LookupResult(
                        "found", provider_id=_provider_id(conversation, post["ts"], post.get("thread_ts"))
                    )
        except (*BROKEN_EXCHANGE, *GARBAGE, _TooMuchToReadError) as error:
            return LookupResult("cannot_look", detail=self._redacted(error, message))
        return LookupResult("not_found")

    def _posts(self, conversation: str, thread: str | None, since: datetime) -> Iterator[dict]:
        def page(cursor: str | None) -> SlackResponse:
            return self._slack.conversations_history(
                channel=conversation,
                oldest=str(since.timestamp()),
                include_all_metadata=True,
                limit=PAGE,
                cursor=cursor,
            )

        def replies(cursor: str | None) -> SlackResponse:
            return self._slack.conversations_replies(
                channel=conversation,
                ts=thread or "",
                oldest=str(since.timestamp()),
                include_all_metadata=True,
                limit=PAGE,
                cursor=cursor,
            )

        if thread is not None:
            yield from _pages(replies, "messages")
        yield from _pages(page, "messages")

    def _postable(self, recipient: str) -> str:
        """What chat.postMessage takes as `channel`: a channel by name or id, a person by their conversation's id."""
        is_person = "@" in recipient and not recipient.startswith("#")
        return self._conversation_with(recipient) if is_person else recipient

    def _readable(self, recipient: str) -> str | None:
        """The id of a recipient's conversation, which its history needs; None when a channel is not listed."""
        postable = self._postable(recipient)
        if not postable.startswith("#"):
            return postable
        if postable not in self._conversations:
            for channel in _pages(self._list_channels, "channels"):
                self._conversations["#" + channel["name"]] = channel["id"]
        return self._conversations.get(postable)

    def _list_channels(self, cursor: str | None) -> SlackResponse:
        return self._slack.conversations_list(
            types="public_channel,private_channel", exclude_archived=True, limit=PAGE, cursor=cursor
        )

    def _conversation_with(self, address: str) -> str:
        if address not in self._conversations:
            person: Any = self._slack.users_lookupByEmail(email=address)["user"]
            conversation: Any = self._slack.conversations_open(users=[person["id"]])["channel"]
            self._conversations[address] = conversation["id"]
        return self._conversations[address]

    def _not_posted(self, error: Exception, message: Message) -> Outcome:
        """Looking a person up failed: nothing was posted, so whatever is not known to be final passes."""
        refusal = self._refusal(error, message, unknown="later")
        if refusal.status != "uncertain":
            return refusal
        return Outcome("retry", detail=refusal.detail, retry_after=_asked_to_wait(error) or RETRY_SOON)

    def _posted(self, error: Exception, message: Message) -> Outcome:
        return self._refusal(error, message, unknown="perhaps")

    def _refusal(self, error: Exception, message: Message, unknown: Meaning) -> Outcome:
        """What Slack's answer means; `unknown` for a code that is in no table."""
        code, status, wait = _code(error), _status(error), _asked_to_wait(error)
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
        status, code = _status(error), _code(error)
        words = f"Slack answered {status}: {code or 'not in its own words'}" if status is not None else error
        return redacted(words, without=self._secrets(message))

    def _secrets(self, message: Message) -> tuple[str, str]:
        return (self._token.get_secret_value(), message.recipient if "@" in message.recipient else "")


class _BoundedClient(WebClient):
    """The vendor's client, whose exchanges are bounded and follow no redirect."""

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:  # noqa: ARG002
        with opener_that_tells().open(req, timeout=self.timeout) as answer:
            body = answer.read().decode(answer.headers.get_content_charset() or "utf-8")
            return {"status": answer.status, "headers": answer.headers, "body": body}


class _TooMuchToReadError(Exception):
    """More pages than anybody would read: it stays unknown."""


def _pages(page: Callable[[str | None], SlackResponse], items: str) -> Iterator[dict]:
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        answer = page(cursor)
        found = answer[items]
        if not isinstance(found, list):
            raise TypeError(f"the answer holds no {items}")  # and must not pass for one that holds none of ours
        yield from found
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            return
    raise _TooMuchToReadError(f"more than {PAGE * MOST_PAGES} {items} to look through")


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


def _status(error: Exception) -> int | None:
    """HTTP status of an answer that Slack gave; None when there was none."""
    return error.response.status_code if isinstance(error, SlackApiError) else None


def _code(error: Exception) -> str | None:
    """Slack's error code, such as 'channel_not_found'; None where the answer holds none of Slack's."""
    if not isinstance(error, SlackApiError):
        return None
    code = error.response.get("error")
    return code if isinstance(code, str) and code.replace("_", "").isalnum() else None


def _asked_to_wait(error: Exception) -> timedelta | None:
    if not isinstance(error, SlackApiError):
        return None
    headers = {name.title(): value for name, value in error.response.headers.items()}
    return seconds_in(headers, "Retry-After")
