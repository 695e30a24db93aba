"""Keep messages on the machine: one page each, as their reader would see it, and a row in `cs.captured_messages`.

How a page looks is in `captured_pages`. Nothing here decides which messages are captured.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Session
from psycopg2.extras import Json, execute_values

from cs_pipeline.channels import captured_pages
from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.http import redacted
from cs_pipeline.channels.message import Delivery, LookupResult, Message, Outcome
from cs_pipeline.channels.refusals import RETRY_SOON
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.plain_files import make_private
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse, without_rows

INDEX = "index.html"
LIST = "messages.js"
BEFORE, BEHIND = "captured(", ");\n"  # around each entry of the list
PRIVATE = 0o600


class CaptureChannel(BaseChannel):
    """Keeps messages under `settings.captures`, in a folder per day they were due, beside an index of all of them.

    The list of the index is `messages.js`, to which each capture appends one line, so capturing the hundred thousandth
    message costs what the first did. Over HTTP it is given out as JSON.
    """

    name = "capture"
    batch_size = 1_000

    def __init__(self, settings: Settings, warehouse: Warehouse, clock: Clock) -> None:
        self._folder = settings.captures
        self._sender = captured_pages.Sender(settings.sender_name, settings.sender_email)
        self._warehouse = warehouse
        self._clock = clock
        try:
            if not self._folder.exists():
                make_private(self._folder)
            _write(self._folder / INDEX, captured_pages.index_page())
            (self._folder / LIST).touch(PRIVATE)
        except OSError as error:
            raise UserError(
                f"Captured messages cannot be written to {self._folder}: {error.strerror}. "
                "Make the folder writable, or set CS_PIPELINE_HOME to one that is."
            ) from None

    def delivery_to(self, recipient: str) -> Delivery:  # noqa: ARG002 - alike for everybody
        """Always 'capture'."""
        return "capture"

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Record each message once; `provider_id` is its page under the captures folder."""
        moment = self._clock.now()
        try:
            with self._warehouse.session() as session:
                recorded = _recorded(session, messages)
                new = [message for message in messages if message.action_key not in recorded]
                # The rows come last: a crash before them repeats the pages and the lines, under the same keys.
                for message in new:
                    page = captured_pages.message_page(message, self._sender, moment)
                    _write(self._folder / _page_path(message), page)
                self._append_to_list(new, moment)
                _record(session, new, moment)
        except (psycopg2.OperationalError, psycopg2.InterfaceError, UserError, OSError) as error:
            words = redacted(without_rows(error), without=())
            later = Outcome("retry", detail=words, retry_after=RETRY_SOON, delivery="capture")
            return [later] * len(messages)
        except (psycopg2.Error, ValueError) as error:  # ValueError: text that PostgreSQL cannot hold, such as NUL
            if len(messages) > 1:
                return [self.deliver([message])[0] for message in messages]
            return [Outcome("failed", detail=redacted(without_rows(error), without=()), delivery="capture")]
        return [Outcome("sent", provider_id=_page_path(message).as_posix(), delivery="capture") for message in messages]

    def find(self, message: Message) -> LookupResult:
        """Look the action key up among the captured messages."""
        try:
            with self._warehouse.session() as session:
                is_recorded = bool(_recorded(session, [message]))
        except (psycopg2.Error, UserError) as error:
            return LookupResult("cannot_look", detail=redacted(without_rows(error), without=()))
        return (
            LookupResult("found", provider_id=_page_path(message).as_posix())
            if is_recorded
            else LookupResult("not_found")
        )

    def _append_to_list(self, messages: Sequence[Message], moment: datetime) -> None:
        entries = [
            {
                "key": message.action_key,
                "channel": message.channel,
                "to": message.recipient,
                "subject": message.subject,
                "account": message.account_id,
                "playbook": message.playbook,
                "step": message.step,
                "at": moment.isoformat(timespec="seconds"),
                "path": _page_path(message).as_posix(),
            }
            for message in messages
        ]
        lines = "".join(f"{BEFORE}{json.dumps(entry)}{BEHIND}" for entry in entries).encode()
        # One write to a file opened for appending: two daemons do not tear each other's lines.
        handle = os.open(self._folder / LIST, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE)
        try:
            os.write(handle, lines)
        finally:
            os.close(handle)


def forget_captured(settings: Settings, pages: Mapping[str, str | None]) -> None:
    """Remove pages (by action key, below the captures folder), and their lines in the list."""
    listed = settings.captures / LIST
    for page in filter(None, pages.values()):
        (settings.captures / page).unlink(missing_ok=True)
    if pages and listed.exists():
        keys = tuple(f'captured({{"key": {json.dumps(key)},' for key in pages)
        lines = listed.read_text(encoding="utf-8").splitlines(keepends=True)
        _write(listed, "".join(line for line in lines if not line.startswith(keys)))


def _page_path(message: Message) -> Path:
    """Where the page lies under the captures folder: the same for every attempt at the action."""
    digest = hashlib.sha256(message.action_key.encode()).hexdigest()[:12]
    account = re.sub(r"[^A-Za-z0-9_-]+", "-", message.account_id)[:40]
    step = re.sub(r"[^A-Za-z0-9_-]+", "-", message.step)[:60]
    return Path(message.due_on.isoformat(), f"{message.channel}-{account}-{step}-{digest}.html")


def _write(path: Path, text: str) -> None:
    """Whole or not at all, also for a reader who looks meanwhile."""
    if not path.parent.exists():
        make_private(path.parent)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as unfinished:
        unfinished.write(text)
    Path(unfinished.name).replace(path)  # readable by us alone, as temporary files are


def _recorded(session: Session, messages: Sequence[Message]) -> set[str]:
    """Which of the messages are recorded, by action key."""
    with session.cursor() as cursor:
        cursor.execute(
            "select action_key from cs.captured_messages where action_key = any(%s)",
            [[message.action_key for message in messages]],
        )
        return {action_key for (action_key,) in cursor.fetchall()}


def _record(session: Session, messages: Sequence[Message], moment: datetime) -> None:
    with session.cursor() as cursor:
        execute_values(
            cursor,
            """
            insert into cs.captured_messages (
                action_key, channel, recipient, subject, body_html, body_text, payload, path, captured_at
            )
            values %s
            on conflict (action_key) do nothing
            """,
            [
                (
                    message.action_key,
                    message.channel,
                    message.recipient,
                    message.subject,
                    message.body_html,
                    message.body_text,
                    Json(message.payload),
                    _page_path(message).as_posix(),
                    moment,
                )
                for message in messages
            ],
        )
