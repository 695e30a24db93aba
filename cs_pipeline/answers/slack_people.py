"""Find out who clicked in Slack: their address there, and whether it is that of one of us.

One of us is who signs in to the site, who owns or manages an account, and whom an alert was told. Slack is asked once
an hour for a person, so that who has left does not decide for long.
"""

import time
from typing import Any

from psycopg2.extensions import connection as Session
from slack_sdk import WebClient

from cs_pipeline.addresses import address_of
from cs_pipeline.channels.slack_client import code_of
from cs_pipeline.errors import UserError

KEPT_SECONDS = 3_600.0
MOST_KEPT = 10_000


class SlackPeople:
    """Addresses of people by their ids at Slack."""

    def __init__(self, slack: WebClient) -> None:
        self._slack = slack
        self._known: dict[str, tuple[float, str]] = {}

    def address_of(self, user: str) -> str:
        """The address of a person. Raises UserError, in words for that person, where Slack gives none."""
        asked_at, address = self._known.get(user, (0.0, ""))
        if not address or time.monotonic() - asked_at > KEPT_SECONDS:
            address = self._ask(user)
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[user] = (time.monotonic(), address)
        return address

    def _ask(self, user: str) -> str:
        found: Any = self._slack.users_info(user=user)["user"]
        profile = found.get("profile") or {}
        if found.get("deleted") or found.get("is_bot") or found.get("is_stranger"):
            raise UserError("Only people of this workspace decide here. Nothing was changed")
        address = address_of(profile.get("email"))
        if address is None:
            raise UserError(
                "Slack does not tell your e-mail address, so it is not known who you are: the app needs the scope "
                "users:read.email. Nothing was changed"
            )
        return address


def is_refused(error: Exception) -> bool:
    """Whether Slack refuses to say who somebody is."""
    return code_of(error) in ("user_not_found", "user_not_visible", "missing_scope")


def require_one_of_us(session: Session, address: str) -> None:
    """Raise UserError, in words for that person, where the address is that of nobody of ours."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select
                exists (select 1 from cs.site_users where name = %(address)s)
                or exists (select 1 from cs.alert_notifications where recipient = %(address)s)
                or exists (
                    select 1 from marts.dim_accounts
                    where %(address)s in (
                        cs.address_of(owner_email), cs.address_of(manager_email), cs.address_of(executive_email)
                    )
                )
            """,
            {"address": address},
        )
        if cursor.fetchone() != (True,):
            raise UserError(
                f"You are {address} in Slack, who owns no account here and is no user of the site, so nothing was "
                f"changed. Whoever operates it adds you with `cs-pipeline user add {address}`"
            )
