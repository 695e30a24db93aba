"""A provider on this machine, over real sockets: it answers as told and remembers what it was asked."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


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
    """What goes back. `is_garbage` writes the body bare; `hangs` and `breaks_off` never answer.

    The connection is closed afterwards, and the answer says so, unless it is `kept`, or `dropped` without a word.
    """

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    breaks_off: bool = False
    is_garbage: bool = False
    claimed_length: int | None = None
    kept: bool = False
    dropped: bool = False


Decide = Callable[[Request], Answer]


@dataclass
class Provider:
    url: str
    requests: list[Request]
    decide: Decide
    opened: int = 0
    closed: int = 0


@contextmanager
def provider(decide: Decide | Answer, certificate: Path | None = None) -> Iterator[Provider]:
    """A listening provider, with TLS where it has a certificate; every request is in `.requests` before the answer."""
    done = threading.Event()
    always = decide if isinstance(decide, Answer) else None
    state = Provider("", [], decide if callable(decide) else lambda _: always or Answer())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            state.opened += 1

        def finish(self) -> None:
            super().finish()
            self.connection.close()
            state.closed += 1

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
            if not (answer.kept or answer.dropped):
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = not answer.kept

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        state.url = f"https://127.0.0.1:{server.server_address[1]}"
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


def self_signed(folder: Path) -> Path:
    """A certificate of this machine, and its key, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "us")])
    now, day = datetime.now(UTC), timedelta(days=1)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    written = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    certificate = written.add_extension(address, critical=False).sign(key, hashes.SHA256())
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    file = folder / "certificate.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    return file


def closed_address() -> str:
    """An address at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
