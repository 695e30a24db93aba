"""Talk to SendGrid with the vendor's client, over connections that are bounded and kept.

What the answers mean for the outbox is in `sendgrid`, what a request says in `sendgrid_requests`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message as Headers
from functools import partial
from typing import Any

from pydantic import SecretStr
from python_http_client.client import Client, Response
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError as TransportError

from cs_pipeline.channels.http import silenced
from cs_pipeline.channels.pooled_exchange import connections_to, in_plain_words

CALLS_AT_A_TIME = 16  # SendGrid takes 10,000 requests a second; mails of as many accounts differ in their envelope


def client_of(api_key: SecretStr, host: str, timeout_seconds: float) -> SendGridAPIClient:
    """The vendor's client, which says nothing of its own and tells a failed connect from a broken exchange."""
    silenced("python_http_client.client")
    sendgrid = SendGridAPIClient(api_key.get_secret_value(), host=host)
    sendgrid.client = _TellingClient(
        host=host,
        request_headers=sendgrid._default_headers,
        version=3,
        timeout=timeout_seconds,
        connections=connections_to(host, CALLS_AT_A_TIME),
    )
    return sendgrid


class _TellingClient(Client):
    """The vendor's HTTP client on connections that are kept, and tell a failed connect from a broken exchange.

    Its own requests make a connection each, and put every body into words for a log that says nothing.
    """

    _version: int | None
    _url_path: list[str]

    def __init__(self, *arguments: Any, connections: PoolManager, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._connections = connections

    def _build_client(self, name: str | None = None) -> "_TellingClient":
        return _TellingClient(
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            append_slash=self.append_slash,
            timeout=self.timeout,
            connections=self._connections,
        )

    def __getattr__(self, name: str) -> Any:
        return partial(self._ask, name.upper()) if name in self.methods else super().__getattr__(name)

    def _ask(self, method: str, *, request_body: object = None, query_params: Mapping | None = None) -> Response:
        data = None if request_body is None else json.dumps(request_body).encode()
        headers = self.request_headers if data is None else {**self.request_headers, "Content-Type": "application/json"}
        try:
            answer = self._connections.urlopen(
                method,
                self._build_url(query_params),
                body=data,
                headers=headers,
                timeout=self.timeout,
                retries=False,
                redirect=False,  # it would repeat the request, key included, at an address that nobody set
            )
        except TransportError as error:
            raise in_plain_words(error) from None
        told = Headers()
        for name, value in answer.headers.items():
            told[name] = value
        if not 200 <= answer.status < 300:
            raise HTTPError(answer.status, answer.reason or "", answer.data, told)
        return Response(_Answer(answer.status, answer.data, told))  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class _Answer:
    """An answer as the vendor's library reads it."""

    status: int
    body: bytes
    headers: Headers

    def getcode(self) -> int:
        return self.status

    def read(self) -> bytes:
        return self.body

    def info(self) -> Headers:
        return self.headers
