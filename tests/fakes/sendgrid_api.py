"""SendGrid on this machine: it refuses what SendGrid's specification and its documented limits forbid, and delivers the
rest into an inbox, with every substitution made.

What the specification cannot say is written out here: no empty or unknown parts, an address once a request, the bytes
of custom arguments and substitutions, no way around the lists of those who want no mail.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker

from tests.fakes.provider import Answer, Request

SPECIFICATIONS = Path(__file__).parent / "specifications"


@dataclass(frozen=True)
class Received:
    """A mail as its reader gets it."""

    address: str
    subject: str
    text: str
    html: str | None
    action_key: str
    unsubscribe: str | None


@dataclass
class SendGridApi:
    """Decides on requests as SendGrid would; `refused` keeps the words of every refusal."""

    key: str
    inbox: list[Received] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    accepted: int = 0
    checked: int = 0

    def __call__(self, request: Request) -> Answer:
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return self._refusal(401, ["authorization required"])
        if request.path != "/v3/mail/send":
            return self._refusal(404, [f"nothing at {request.path}"])
        mail = request.json
        problems = [*_against_specification(mail), *_against_limits(mail)]
        if problems:
            return self._refusal(400, problems)
        if mail.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            self.checked += 1
            return Answer(200)
        self.accepted += 1
        self.inbox += _mails(mail)
        return Answer(202, headers={"X-Message-Id": f"sg-{self.accepted}"})

    def _refusal(self, status: int, problems: list[str]) -> Answer:
        self.refused += problems
        return Answer(status, {"errors": [{"message": problem, "field": None, "help": None} for problem in problems]})


@cache
def _validator() -> Draft202012Validator:
    specification = json.loads((SPECIFICATIONS / "sendgrid_mail_v3.json").read_text(encoding="utf-8"))
    body = specification["paths"]["/v3/mail/send"]["post"]["requestBody"]
    body = _resolved(specification, body)["content"]["application/json"]["schema"]
    return Draft202012Validator(
        {**_resolved(specification, body), "components": specification["components"]}, format_checker=FormatChecker()
    )


def _resolved(specification: dict, part: dict) -> dict:
    while "$ref" in part:
        found = specification
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def _against_specification(mail: dict) -> Iterator[str]:
    """Problems by the specification. It calls custom arguments of a person an object, as they are."""
    for error in _validator().iter_errors(mail):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"


PARTS = {
    "attachments",
    *("personalizations", "from", "reply_to", "subject", "content", "headers", "categories"),
    *("asm", "mail_settings", "custom_args"),
}
PERSON_PARTS = {"to", "subject", "headers", "substitutions", "custom_args"}


def _against_limits(mail: dict) -> Iterator[str]:
    persons = mail.get("personalizations", [])
    if not persons:
        yield "personalizations: must not be empty"
    if unknown := set(mail) - PARTS | {part for person in persons for part in set(person) - PERSON_PARTS}:
        yield f"unknown: {sorted(unknown)}"
    addresses = Counter(to.get("email", "").lower() for person in persons for to in person.get("to", []))
    if addresses.total() > 1_000:
        yield "more than 1,000 recipients"
    if any(count > 1 for count in addresses.values()):
        yield "an address stands twice in the request"
    if not all(person.get("subject") or mail.get("subject") for person in persons):
        yield "the subject is required"
    if sum(len(json.dumps(person.get("custom_args", {}), separators=(",", ":"))) for person in persons) > 10_000:
        yield "custom_args: more than 10,000 bytes"
    for person in persons:
        if sum(len(tag) + len(value.encode()) for tag, value in person.get("substitutions", {}).items()) > 50_000:
            yield "substitutions: more than 50,000 bytes"
    if [part["type"] for part in mail.get("content", [])] not in (["text/plain"], ["text/plain", "text/html"]):
        yield "content: text/plain comes first, then text/html"
    if any(name.startswith("bypass") for name in mail.get("mail_settings", {})):
        yield "mail_settings: those who want no mail are not to be written to"


def _mails(mail: dict) -> Iterator[Received]:
    contents = {part["type"]: part["value"] for part in mail["content"]}
    for person in mail["personalizations"]:
        substitutions = person.get("substitutions", {})

        def read(text: str | None, substitutions: dict[str, str] = substitutions) -> str | None:
            for tag, value in substitutions.items():
                text = None if text is None else text.replace(tag, value)
            return text

        yield Received(
            address=person["to"][0]["email"],
            subject=read(person.get("subject") or mail.get("subject")) or "",
            text=read(contents["text/plain"]) or "",
            html=read(contents.get("text/html")),
            action_key=person["custom_args"]["action_key"],
            unsubscribe=person.get("headers", {}).get("List-Unsubscribe"),
        )
