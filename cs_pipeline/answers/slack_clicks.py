"""Take a click in Slack from its envelope to what was decided and what the message shows of it.

The envelope is acknowledged once the decision is committed, so that Slack hands it over again if we die before; doing
it again changes nothing. Nothing is believed but the ids that Slack itself vouches for.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg2
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from cs_pipeline.answers.slack_answers import answer, answers_of, blocks_of_notice
from cs_pipeline.answers.slack_people import SlackPeople, is_refused, require_one_of_us
from cs_pipeline.channels.http import BROKEN_EXCHANGE
from cs_pipeline.channels.slack import EVENT_TYPE
from cs_pipeline.channels.slack_blocks import escape_mrkdwn
from cs_pipeline.channels.slack_buttons import REASON, VERBS, Asked, Given, Verb, dialog, with_buttons
from cs_pipeline.channels.slack_client import GARBAGE
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse, without_rows
from cs_pipeline.warehouse.refusals import DatabaseRefusal, DatabaseUnreachable

log = logging.getLogger(__name__)

UNREADABLE = (*BROKEN_EXCHANGE, *GARBAGE)
NOT_NOW = "It cannot be decided now: our database does not answer. Nothing was changed; try again in a minute."


class Clicks:
    """Answers requests of Socket Mode; others than clicks on buttons of ours are acknowledged and left alone."""

    def __init__(self, slack: WebClient, warehouse: Warehouse, clock: Clock) -> None:
        self._slack = slack
        self._people = SlackPeople(slack)
        self._warehouse = warehouse
        self._clock = clock

    def take(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        """A listener of the vendor's client, which runs each in a thread."""
        payload, answered = request.payload, None
        try:
            if request.type == "interactive" and payload.get("type") == "block_actions":
                self._click(client, request.envelope_id, payload)
                return
            if request.type == "interactive" and payload.get("type") == "view_submission":
                answered = self._submit(client, request.envelope_id, payload)
                if answered is None:
                    return
        except (KeyError, TypeError, ValueError, IndexError) as error:
            log.error("a click in Slack cannot be read: %s", type(error).__name__)
        _acknowledge(client, request.envelope_id, answered)

    def _click(self, client: BaseSocketModeClient, envelope: str, payload: Mapping[str, Any]) -> None:
        (action, *_), user = payload["actions"], payload["user"]["id"]
        asked, verb = Asked.read(action.get("value")), _verb(action.get("action_id"))
        if asked is None or verb is None:
            _acknowledge(client, envelope)
            return
        place = payload["container"]["channel_id"], payload["container"]["message_ts"]
        if verb == "not_a_risk":
            self._ask_why(payload["trigger_id"], asked, place)
            _acknowledge(client, envelope)
            return
        problem = self._decide(asked, verb, user, None)
        _acknowledge(client, envelope)
        message = payload.get("message") or {}
        if problem:
            self._tell(place, user, problem, message.get("thread_ts"))
        self._show(place, asked, str(message.get("text") or ""), message.get("blocks") or [])

    def _ask_why(self, trigger: str, asked: Asked, place: tuple[str, str]) -> None:
        try:
            self._slack.views_open(trigger_id=trigger, view=dialog(asked, *place))
        except UNREADABLE as error:
            log.error("Slack does not open the dialog: %s", _words(error))

    def _submit(self, client: BaseSocketModeClient, envelope: str, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        """What is wrong, for the dialog to show; None where all is well, and acknowledged."""
        view, user = payload["view"], payload["user"]["id"]
        conversation, timestamp, value = view["private_metadata"].split(" ", 2)
        asked = Asked.read(value)
        if view.get("callback_id") != REASON or asked is None:
            return {}
        reason = str(view["state"]["values"][REASON][REASON].get("value") or "").strip()
        if problem := self._decide(asked, "not_a_risk", user, reason):
            return {"response_action": "errors", "errors": {REASON: problem}}
        _acknowledge(client, envelope)
        with self._warehouse.session() as session:
            written = blocks_of_notice(session, asked.action_key)
        if written is not None:
            self._show((conversation, timestamp), asked, *written)
        return None

    def _decide(self, asked: Asked, verb: Verb, user: str, reason: str | None) -> str:
        """What stands in the way, in words; empty where it is done, or was before."""
        try:
            address = self._people.address_of(user)
            with self._warehouse.session() as session:
                require_one_of_us(session, address)
                answer(session, asked.action_key, Given(verb, address, self._clock.now(), reason))
        except (psycopg2.Error, DatabaseUnreachable, DatabaseRefusal) as error:
            log.error("a click in Slack cannot be kept: %s", without_rows(error))
            return NOT_NOW
        except UserError as error:
            return f"{error}."
        except UNREADABLE as error:
            log.error("Slack does not say who clicked: %s", _words(error))
            refused = "Slack does not say who you are" if is_refused(error) else "Slack does not answer"
            return f"{refused}, so nothing was changed."
        return ""

    def _show(self, place: tuple[str, str], asked: Asked, text: str, blocks: Sequence[dict[str, Any]]) -> None:
        """Let the message show what was decided: all of it, whoever was first."""
        conversation, timestamp = place
        try:
            with self._warehouse.session() as session:
                given = answers_of(session, asked.action_key)
            self._slack.chat_update(
                channel=conversation,
                ts=timestamp,
                text=text,
                blocks=with_buttons(blocks, asked, given),
                metadata={"event_type": EVENT_TYPE, "event_payload": {"action_key": asked.action_key}},
            )
        except (UserError, psycopg2.Error, *UNREADABLE) as error:
            log.error("a message in Slack does not show what was decided: %s", _words(error))

    def _tell(self, place: tuple[str, str], user: str, words: str, thread: str | None) -> None:
        """Tell one person, where nobody else sees it."""
        try:
            self._slack.chat_postEphemeral(channel=place[0], user=user, text=escape_mrkdwn(words), thread_ts=thread)
        except UNREADABLE as error:
            log.error("Slack does not tell who clicked why nothing was done: %s", _words(error))


def _acknowledge(client: BaseSocketModeClient, envelope: str, answered: dict[str, Any] | None = None) -> None:
    client.send_socket_mode_response(SocketModeResponse(envelope_id=envelope, payload=answered or None))


def _verb(action: object) -> Verb | None:
    return next((verb for verb in VERBS if verb == action), None)


def _words(error: Exception) -> str:
    """An error without addresses or texts of messages."""
    if isinstance(error, SlackApiError):
        return str(error.response.get("error"))
    return without_rows(error) if isinstance(error, psycopg2.Error) else type(error).__name__
