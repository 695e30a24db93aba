"""Read who gets no mail, as SendGrid knows it: who unsubscribed, whose mail came back, who called it spam.

Reads only. What becomes of it here is in `plays.outbox.suppression_list`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import SecretStr
from python_http_client.client import Client
from python_http_client.exceptions import HTTPError

from cs_pipeline.addresses import same_spelling
from cs_pipeline.channels.http import BROKEN_EXCHANGE, TIMEOUT_SECONDS, redacted
from cs_pipeline.channels.sendgrid_client import client_of
from cs_pipeline.errors import UserError

PAGE = 500  # the most that SendGrid gives at once
LISTS: Mapping[str, str] = {
    "unsubscribes": "unsubscribed",
    "bounces": "bounced",
    "invalid_emails": "bounced",
    "spam_reports": "spam",
}
"""SendGrid's lists, and the reason of cs.suppressions that each stands for."""


@dataclass(frozen=True)
class Suppressed:
    """An address, why it gets no mail, and since when. The address stays out of its repr."""

    address: str = field(repr=False)
    reason: str
    since: datetime


def read_suppressions(
    api_key: SecretStr, host: str, timeout_seconds: float = TIMEOUT_SECONDS, *, unsubscribe_group: int | None = None
) -> list[Suppressed]:
    """Everybody on SendGrid's lists, and on that of our unsubscribe group.

    Raises UserError when SendGrid cannot be asked, or not understood.
    """
    client = client_of(api_key, host, timeout_seconds).client
    try:
        found = [
            _suppressed(entry["email"], reason, entry["created"])
            for name, reason in LISTS.items()
            for entry in _entries(getattr(client.suppression, name))
        ]
        if unsubscribe_group is not None:
            of_groups = _read(client.asm.suppressions)  # pyright: ignore[reportArgumentType, reportAttributeAccessIssue]
            found += [
                _suppressed(entry["email"], "unsubscribed", entry["created_at"])
                for entry in of_groups
                if entry["group_id"] == unsubscribe_group
            ]
        return found
    except HTTPError as error:
        words = f"SendGrid answered {error.status_code}"
        hint = "; the API key needs access to suppressions" if error.status_code in (401, 403) else ""
        raise UserError(f"Suppressions cannot be read: {words}{hint}") from None
    except BROKEN_EXCHANGE as error:
        raise UserError(
            f"Suppressions cannot be read: {redacted(error, without=[api_key.get_secret_value()])}"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise UserError("Suppressions cannot be read: SendGrid's answer is not a list of addresses") from None


def _suppressed(address: str, reason: str, created: float) -> Suppressed:
    return Suppressed(same_spelling(address), reason, datetime.fromtimestamp(int(created), UTC))


def _entries(listed: Client) -> Iterator[dict]:
    offset = 0
    while True:
        page = _read(listed, limit=PAGE, offset=offset)
        yield from page
        if len(page) < PAGE:
            return
        offset += PAGE


def _read(listed: Client, **query: int) -> list[dict]:
    page = json.loads(listed.get(query_params=query).body)  # pyright: ignore
    if not isinstance(page, list):
        raise TypeError
    return page
