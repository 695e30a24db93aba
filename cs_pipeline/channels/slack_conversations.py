"""Find the conversation of a recipient in Slack, and read what was posted in it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from cs_pipeline.channels.slack_client import PAGE, pages


class Conversations:
    """Conversations that the bot of `slack` posts in. Each is looked up once."""

    def __init__(self, slack: WebClient) -> None:
        self._slack = slack
        self._ids: dict[str, str] = {}

    def postable(self, recipient: str) -> str:
        """What chat.postMessage takes as `channel`: a channel by name or id, a person by their conversation's id."""
        is_person = "@" in recipient and not recipient.startswith("#")
        return self._conversation_with(recipient) if is_person else recipient

    def readable(self, recipient: str) -> str | None:
        """The id of a recipient's conversation, which its history needs; None when a channel is not listed."""
        postable = self.postable(recipient)
        if not postable.startswith("#"):
            return postable
        if postable not in self._ids:
            for channel in pages(self._list_channels, "channels"):
                self._ids["#" + channel["name"]] = channel["id"]
        return self._ids.get(postable)

    def _list_channels(self, cursor: str | None) -> SlackResponse:
        return self._slack.conversations_list(
            types="public_channel,private_channel", exclude_archived=True, limit=PAGE, cursor=cursor
        )

    def _conversation_with(self, address: str) -> str:
        if address not in self._ids:
            person: Any = self._slack.users_lookupByEmail(email=address)["user"]
            conversation: Any = self._slack.conversations_open(users=[person["id"]])["channel"]
            self._ids[address] = conversation["id"]
        return self._ids[address]

    def posts(self, conversation: str, thread: str | None, since: datetime) -> Iterator[dict]:
        """Messages since then, with their metadata: first those of the thread, then those of the conversation."""

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
            yield from pages(replies, "messages")
        yield from pages(page, "messages")
