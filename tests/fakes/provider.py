"""A provider on this machine, over real sockets: it answers as told and remembers what it was asked."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes
    method: str = ""

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def fields(self) -> dict:
        is_json = self.headers.get("Content-Type", "").startswith("application/json")
        return self.json if is_json else self.form


@dataclass(frozen=True)
class Answer:
    """What goes back. `is_garbage` writes the body bare; `hangs` and `breaks_off` never answer."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    breaks_off: bool = False
    is_garbage: bool = False
    claimed_length: int | None = None


Decide = Callable[[Request], Answer]


@dataclass
class Provider:
    url: str
    requests: list[Request]
    decide: Decide


@contextmanager
def provider(decide: Decide | Answer) -> Iterator[Provider]:
    """A listening provider; every request it reads is in `.requests` before it answers."""
    done = threading.Event()
    always = decide if isinstance(decide, Answer) else None
    state = Provider("", [], decide if callable(decide) else lambda _: always or Answer())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(length)
            self.close_connection = True
            if len(body) < length:
                return  # whoever wrote it is gone: no provider accepts half a request
            request = Request(self.path, dict(self.headers.items()), body, self.command)
            state.requests.append(request)
            self.answer(state.decide(request))

        do_GET = do_PATCH = do_POST

        def answer(self, answer: Answer) -> None:
            if answer.hangs:
                done.wait(30)
                return
            if answer.breaks_off:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            if answer.is_garbage:
                self.wfile.write(body)
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(answer.claimed_length or len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        done.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def deaf_address() -> Iterator[str]:
    """An address whose connections are neither accepted nor refused, because its queue is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    address = listener.getsockname()
    waiting = []
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(address)
        waiting.append(client)
    try:
        yield f"http://{address[0]}:{address[1]}"
    finally:
        for client in (*waiting, listener):
            client.close()


def closed_address() -> str:
    """An address at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
