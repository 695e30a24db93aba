"""A Slack workspace with Socket Mode: the methods that answers need over HTTP, and clicks over a WebSocket."""

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from tests.fakes.provider import Answer, Request, provider

APP_TOKEN, BOT_TOKEN = "xapp-secret", "xoxb-secret"
_NUMBERS = count(1)


@dataclass
class Workspace:
    """People by id; what was posted, updated, and said to one person only. `url` is that of the API."""

    people: dict[str, dict[str, Any]]
    url: str = ""
    socket_url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    ephemerals: list[dict[str, Any]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)
    connections: "queue.Queue[ServerConnection]" = field(default_factory=queue.Queue)
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, request: Request) -> Answer:
        method = request.path.rpartition("/")[2].partition("?")[0].replace(".", "_")
        token = APP_TOKEN if method == "apps_connections_open" else BOT_TOKEN
        if request.headers.get("Authorization") != f"Bearer {token}":
            return Answer(body={"ok": False, "error": "invalid_auth"})
        return Answer(body={"ok": True, **getattr(self, method)(_read(request.fields if request.body else {}))})

    def apps_connections_open(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {"url": self.socket_url}

    def users_info(self, fields: dict[str, Any]) -> dict[str, Any]:
        self.asked_for.append(fields["user"])
        person = self.people.get(fields["user"])
        return {"user": person} if person else {"ok": False, "error": "user_not_found"}

    def users_lookupByEmail(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {"user": {"id": "U" + fields["email"]}}

    def conversations_open(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {"channel": {"id": "D1"}}

    def chat_postMessage(self, fields: dict[str, Any]) -> dict[str, Any]:
        return self._kept(self.posts, fields, ts=f"1700000000.{len(self.posts):06}")

    def chat_update(self, fields: dict[str, Any]) -> dict[str, Any]:
        return self._kept(self.updates, fields)

    def chat_postEphemeral(self, fields: dict[str, Any]) -> dict[str, Any]:
        return self._kept(self.ephemerals, fields)

    def views_open(self, fields: dict[str, Any]) -> dict[str, Any]:
        return self._kept(self.views, fields)

    def _kept(self, kind: list[dict[str, Any]], fields: dict[str, Any], **more: Any) -> dict[str, Any]:
        with self.changed:
            kind.append(fields | more)
            self.changed.notify_all()
        return {"channel": fields.get("channel"), "ts": fields.get("ts"), **more}

    def wait_for(self, kind: list[dict[str, Any]], number: int) -> dict[str, Any]:
        """The one of that number, from 1."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(kind) >= number, 10), "Slack was told nothing"
            return kind[number - 1]

    def send(self, payload: dict[str, Any], *, kind: str = "interactive", envelope: str = "") -> str:
        """Hand something over on the newest connection; returns its envelope's id."""
        envelope = envelope or f"envelope-{next(_NUMBERS)}"
        connection = self.connections.get(timeout=10)
        self.connections.put(connection)
        connection.send(json.dumps({"envelope_id": envelope, "type": kind, "payload": payload}))
        return envelope

    def answer_to(self, envelope: str) -> dict[str, Any]:
        """With what it was acknowledged."""
        with self.changed:
            assert self.changed.wait_for(lambda: envelope in self.acknowledged, 10), "it was not acknowledged"
            return self.acknowledged[envelope].get("payload") or {}

    def click(self, verb: str, user: str, post: dict[str, Any] | None = None) -> str:
        """Somebody presses a button of a message: the newest posted, unless another is given. Returns the envelope."""
        return self.send(self.clicked(verb, user, post))

    def clicked(self, verb: str, user: str, post: dict[str, Any] | None = None) -> dict[str, Any]:
        """What Slack says of it."""
        message = post or self.posts[-1]
        (button,) = (each for each in buttons(message) if each["action_id"] == verb)
        return {
            "type": "block_actions",
            "user": {"id": user},
            "trigger_id": "trigger",
            "container": {"type": "message", "channel_id": message["channel"], "message_ts": message["ts"]},
            "message": {"text": message["text"], "ts": message["ts"], "blocks": message["blocks"]},
            "actions": [button],
        }

    def submit(self, reason: str, user: str) -> str:
        """Somebody fills in the newest dialog; returns the envelope."""
        view = self.wait_for(self.views, len(self.views) or 1)["view"]
        (block,) = (each for each in view["blocks"] if each["type"] == "input")
        values = {block["block_id"]: {block["element"]["action_id"]: {"value": reason}}}
        return self.send(
            {"type": "view_submission", "user": {"id": user}, "view": {**view, "state": {"values": values}}}
        )

    def listen(self, connection: ServerConnection) -> None:
        """Keep what comes over one connection."""
        connection.send(json.dumps({"type": "hello", "num_connections": 1}))
        while not self.connections.empty():
            self.connections.get_nowait()
        self.connections.put(connection)
        try:
            for message in connection:
                said = json.loads(message)
                with self.changed:
                    self.acknowledged[said["envelope_id"]] = said
                    self.changed.notify_all()
        except ConnectionClosed:
            pass


def buttons(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of a message that was posted or updated."""
    return [each for block in message["blocks"] if block["type"] == "actions" for each in block["elements"]]


def _read(fields: dict[str, Any]) -> dict[str, Any]:
    """A form's fields, those that are JSON read."""
    structured = ("blocks", "view", "metadata")
    return {
        name: json.loads(value) if name in structured and isinstance(value, str) else value
        for name, value in fields.items()
    }


@contextmanager
def workspace(people: dict[str, dict[str, Any]]) -> Iterator[Workspace]:
    """A workspace that listens."""
    slack = Workspace(people)
    with provider(slack) as api, serve(slack.listen, "127.0.0.1", 0) as server:
        slack.url = f"{api.url}/api/"
        slack.socket_url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/link?ticket=1"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield slack
        finally:
            server.shutdown()
            thread.join()
