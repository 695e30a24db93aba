"""Say who receives which report: the team's `<config>/reports.yaml`, or the shipped one.

How a person or a channel is reached is in `alerts.directory`; what a message looks like in `mail` and `slack`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from psycopg2.extensions import connection as Session
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cs_pipeline.addresses import address_of
from cs_pipeline.alerts.directory import Directory, Teams, reader_named
from cs_pipeline.alerts.team_file import load_directory
from cs_pipeline.plays.outbox.operations import Reader, Way, has_chat
from cs_pipeline.reports.dated.catalogue import KINDS, Kind, kind_named
from cs_pipeline.settings import Settings
from cs_pipeline.yaml_with_lines import Problem, validate

FILE = "reports.yaml"
SHIPPED = Path(__file__).with_name(FILE)
PEOPLE = {"owners": "owner_email", "managers": "manager_email", "executives": "executive_email"}
"""Readers whom accounts name, and the column that has them."""
TEAMS = ("team", *Teams.model_fields)


def _reader(text: str) -> str:
    return reader_named(text, [*PEOPLE, *TEAMS], "#leads")


class Route(BaseModel):
    """Who receives one report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: tuple[Annotated[str, AfterValidator(_reader)], ...]


class Routes(BaseModel):
    """The file: routes by the name of the report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reports: dict[str, Route] = Field(default={})


@dataclass(frozen=True)
class Recipient:
    """Who gets a report, by which ways, and of whose accounts ('' of all)."""

    name: str = field(repr=False)
    reader: Reader
    owner: str = ""


def load_routes(config: Path | None) -> Routes:
    """The routes of the team, or the shipped ones. Raises InvalidFile with file, line and field."""
    own = None if config is None else config / FILE
    return validate(Routes, own if own is not None and own.exists() else SHIPPED, _problems)


def _problems(routes: Routes) -> Iterator[Problem]:
    for name in routes.reports:
        if name not in KINDS:
            try:
                kind_named(name)
            except Exception as error:
                yield Problem(("reports", name), str(error))


def recipients(session: Session, kind: Kind, routes: Routes, settings: Settings) -> list[Recipient]:
    """Everybody who receives a report, each once: who is named twice gets the report of all accounts.

    A report that can be made of an owner's accounts goes to owners so; where it cannot, they get the whole.
    """
    route = routes.reports.get(kind.name)
    directory = load_directory(settings.config)
    found: dict[str, Recipient] = {}
    for text in () if route is None else route.to:
        for name, role in _named(session, text, directory, settings):
            owner = name if text == "owners" and kind.by_owner else ""
            if name not in found or not owner:
                found[name] = Recipient(name, _reader_of(name, role, directory, settings), owner)
    return [each for each in found.values() if each.reader.ways]


def _named(session: Session, text: str, directory: Directory, settings: Settings) -> Iterator[tuple[str, str]]:
    """Names of recipients, addresses or channels, with the role in which they are told."""
    if text in PEOPLE:
        with session.cursor() as cursor:
            cursor.execute(
                f"""
                select distinct lower({PEOPLE[text]})
                from marts.dim_accounts
                where {PEOPLE[text]} is not null and churned_at is null
                order by 1
                """
            )
            people = [address_of(address) for (address,) in cursor.fetchall()]
        yield from ((address, text.removesuffix("s")) for address in people if address is not None)
    elif text == "team":
        yield settings.team_channel, "team"
    elif text in TEAMS:
        team = getattr(directory.teams, text)
        yield team.email or team.channel, text
    else:
        yield text, "reader"


def _reader_of(name: str, role: str, directory: Directory, settings: Settings) -> Reader:
    """A person by mail, which holds tables and charts; a channel by chat, and by its team's address after it."""
    if "@" in name and not name.startswith("#"):
        by_mail: Way = ("email", name)
        return Reader(role, (by_mail,))
    if not has_chat(settings) and not settings.ops_email:
        return Reader(role, ())
    return directory.reader(name, role, settings, is_digest=True)
