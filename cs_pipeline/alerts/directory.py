"""Know how our own people are reached: teams, their channels and addresses, whose morning is when.

The team says it in `<config>/alerts.yaml`, beside what it says of rules. Who is told of which alert is decided in
`route`.
"""

from collections.abc import Sequence
from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cs_pipeline.addresses import address_of
from cs_pipeline.channels.registry import carrier_of
from cs_pipeline.plays.outbox.operations import Reader, Way, has_chat
from cs_pipeline.settings import Settings

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _address(text: str) -> str:
    found = address_of(text)
    if found is None:
        raise ValueError(f"expected an e-mail address such as support@ours.example, got '{text}'")
    return found


def _channel(text: str) -> str:
    if not text.startswith("#") or len(text) < 2 or any(sign.isspace() for sign in text):
        raise ValueError(f"expected a Slack channel such as '#sales' (in quotes: # begins a comment), got '{text}'")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"expected a time zone such as Europe/Berlin, got '{text}'") from None
    return text


def reader_named(text: str, names: Sequence[str], channel: str) -> str:
    """What a route says of who is told: one of `names`, a channel such as `channel`, or an address.

    Raises ValueError in words for anything else.
    """
    if text in names or (text.startswith("#") and len(text) > 1 and not any(sign.isspace() for sign in text)):
        return text
    if (address := address_of(text)) is not None:
        return address
    raise ValueError(
        f"expected {', '.join(names)}, a channel such as '{channel}' (in quotes: # begins a comment) or an address, "
        f"got '{text}'"
    )


Address = Annotated[str, AfterValidator(_address)]
Channel = Annotated[str, AfterValidator(_channel)]
Zone = Annotated[str, AfterValidator(_zone)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Team(_Part):
    """A team that has no accounts of its own: it is told at its address where it names one, else in its channel."""

    channel: Channel
    email: Address | None = None


class Teams(_Part):
    """The teams that rules and routes name."""

    sales: Team = Team(channel="#sales")
    support: Team = Team(channel="#support-agents")
    product: Team = Team(channel="#product")
    development: Team = Team(channel="#development")
    finance: Team = Team(channel="#finance")
    legal: Team = Team(channel="#legal")
    competitive_intelligence: Team = Team(channel="#competitive-intelligence")


class Person(_Part):
    """What is known of one of us."""

    timezone: Zone


class DigestHours(_Part):
    """When digests go out, in their reader's time zone, and by what."""

    hour: int = Field(default=8, ge=0, le=23)
    days: tuple[Weekday, ...] = Field(default=WEEKDAYS[:5], min_length=1)
    by: Literal["slack", "email"] = "slack"  # by Slack: by e-mail where Slack has not taken it in a while


class SupportHours(_Part):
    """When support answers: clocks of tickets stand still otherwise. `until` not after `since`: past midnight."""

    timezone: Zone
    days: tuple[Weekday, ...] = Field(default=WEEKDAYS[:5], min_length=1)
    since: time = time(9)
    until: time = time(17)
    holidays: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")  # the country whose public holidays are free


class Leaders(_Part):
    """Addresses of those who lead; an account's own executive stands in for who is not named."""

    vp_customer_success: Address | None = None
    ceo: Address | None = None


class Directory(_Part):
    """The part of alerts.yaml that says how our people are reached, and when support answers."""

    teams: Teams = Teams()
    people: dict[Address, Person] = {}
    digest: DigestHours = DigestHours()
    leaders: Leaders = Leaders()
    support_hours: SupportHours | None = None

    def reader(self, recipient: str, role: str, settings: Settings, *, is_digest: bool = False) -> Reader:
        """How `recipient` (an address, or a channel of Slack) is told.

        A person by chat, and by e-mail where chat does not take it; a team's address by e-mail alone. A channel's
        second way is its team's address. Digests go by what `digest.by` says, and never into the one channel that Teams
        has for all.
        """
        if "@" not in recipient or recipient.startswith("#"):
            ways: list[Way] = [("slack", recipient)] if has_chat(settings) else []
            if address := self._address_of_channel(recipient, settings):
                ways.append(("email", address))
            return Reader(role, tuple(ways))
        by_email: Way = ("email", recipient)
        is_mail = is_digest and (self.digest.by == "email" or carrier_of("slack", settings).name != "slack")
        if role in Teams.model_fields or is_mail or not has_chat(settings):
            return Reader(role, (by_email,))
        return Reader(role, (("slack", recipient), by_email))

    def zone_of(self, recipient: str, settings: Settings) -> str:
        """The time zone of a reader, where it is known, else ours."""
        person = self.people.get(recipient)
        return settings.timezone if person is None else person.timezone

    def _address_of_channel(self, channel: str, settings: Settings) -> str | None:
        if channel == settings.ops_channel:
            return settings.ops_email or None
        teams = (getattr(self.teams, name) for name in Teams.model_fields)
        return next((team.email for team in teams if team.channel == channel), None)
