"""Talk to Slack with the vendor's client: bounded exchanges, pages of lists, and what an error holds.

What the answers mean for the outbox is in `slack`.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.request import Request

from pydantic import SecretStr
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse
from slack_sdk.web.file_upload_v2_result import FileUploadV2Result

from cs_pipeline.channels.http import opener_that_tells, seconds_in, silenced

PAGE = 200
MOST_PAGES = 25
GARBAGE = (ValueError, AttributeError, TypeError, KeyError, SlackClientError)
"""What the vendor's library raises over an answer that is not Slack's JSON."""


class BoundedClient(WebClient):
    """The vendor's client, whose exchanges are bounded and follow no redirect."""

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:  # noqa: ARG002
        with opener_that_tells().open(req, timeout=self.timeout) as answer:
            body = answer.read().decode(answer.headers.get_content_charset() or "utf-8")
            return {"status": answer.status, "headers": answer.headers, "body": body}

    def _upload_file(self, *, url: str, data: bytes, **_: Any) -> FileUploadV2Result:
        request = Request(url, data, {"Content-Type": "application/octet-stream"}, method="POST")
        with opener_that_tells().open(request, timeout=self.timeout) as answer:
            return FileUploadV2Result(status=answer.status, body=answer.read().decode(errors="replace"))


class TooMuchToReadError(Exception):
    """More pages than anybody would read: it stays unknown."""


def client_of(token: SecretStr, base_url: str, timeout_seconds: float) -> WebClient:
    """The vendor's client, which says nothing of its own and repeats nothing."""
    return BoundedClient(
        token=token.get_secret_value(),
        base_url=base_url,
        timeout=timeout_seconds,  # pyright: ignore[reportArgumentType] - handed to urllib, which takes fractions
        logger=silenced(f"{__name__}.vendor"),
        # The library's own retry posts again after a reset connection, when the first post may have arrived.
        retry_handlers=[],
    )


def pages(page: Callable[[str | None], SlackResponse], items: str) -> Iterator[dict]:
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
    raise TooMuchToReadError(f"more than {PAGE * MOST_PAGES} {items} to look through")


def status_of(error: Exception) -> int | None:
    """HTTP status of an answer that Slack gave; None when there was none."""
    return error.response.status_code if isinstance(error, SlackApiError) else None


def code_of(error: Exception) -> str | None:
    """Slack's error code, such as 'channel_not_found'; None where the answer holds none of Slack's."""
    if not isinstance(error, SlackApiError):
        return None
    code = error.response.get("error")
    return code if isinstance(code, str) and code.replace("_", "").isalnum() else None


def asked_to_wait(error: Exception) -> timedelta | None:
    if not isinstance(error, SlackApiError):
        return None
    headers = {name.title(): value for name, value in error.response.headers.items()}
    return seconds_in(headers, "Retry-After")
