"""Make the values that a template may show: facts of the account and the trigger, fit for readers, and ours.

How a value is printed is in `environment`.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from cs_pipeline.health.explanation import Change, Driver, explain_change
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS, TRIGGER_FACTS, TriggerKind
from cs_pipeline.plays.messages import names
from cs_pipeline.plays.messages.brand import Brand
from cs_pipeline.plays.messages.environment import clean, in_words, is_missing
from cs_pipeline.plays.messages.unsubscribe_link import unsubscribe_link
from cs_pipeline.plays.playbooks import business_days
from cs_pipeline.plays.playbooks.schema import CUSTOMER_ROLES, Playbook, Step
from cs_pipeline.settings import Settings

ADDED: Mapping[str, str] = {
    "account_id": "Id of the account, as the warehouse has it",
    "contact_name": "Full name of the person it goes to; missing when not known, or a placeholder such as NULL",
    "contact_first_name": "First name of that person; missing where the name does not say it beyond doubt (Mr Lee)",
    "is_for_customer": "It goes to the customer, not to one of us",
    "due_on": "Day for which it was planned, in the account's time zone",
    "play_title": "Title of the play",
    "step_day": "Day of the play",
    "step_title": "Title of the step, or its name in words",
    "checklist": "Points of the step, a list of texts",
    "score_words": "The score now, or how it changed and why where that started the play; for us only",
    "company_name": "Our company",
    "sender_name": "From whom customer mail comes",
    "postal_address": "Our address",
    "unsubscribe_url": "Where this reader unsubscribes",
    "account_url": "Where scores are shown",
    "brand": "Colours, font and logo of brand.yaml",
    "link": "URLs of brand.yaml by name; each says of which message it was, that of `feedback` as asked_by",
    "asked_by": "What an answer is to bring back as its asked_by, so that it is known which message asked",
    "story": "Story of a similar customer: title, summary, url; missing where there is none",
    "expansion_story": "The same, of a customer who has expanded",
    "subject": "Subject of the mail, for its body",
    "preview": "Preview text of the mail, for its body",
}
"""Names beside those of the catalogue, with their meaning."""


MESSAGE_IN_LINK = "cs_message"
"""The parameter of links in messages that names the message."""


def known_names(kind: TriggerKind) -> list[str]:
    """Every name that a template of a play may use that is started by triggers of `kind`."""
    return sorted({*ACCOUNT_FACTS, *TRIGGER_FACTS[kind], *ADDED})


class Action(Protocol):
    """What a message needs to know of its action in the outbox."""

    @property
    def action_key(self) -> str: ...
    @property
    def playbook(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def account_id(self) -> str: ...
    @property
    def recipient(self) -> str | None: ...
    @property
    def due_at(self) -> datetime: ...


CATALOGUE = {**ACCOUNT_FACTS, **{name: fact for each in TRIGGER_FACTS.values() for name, fact in each.items()}}


@dataclass(frozen=True)
class About:
    """What one message is about. `facts`: those of the catalogue by name, and `recipient_name`. `link_key` signs the
    link by which its reader unsubscribes.
    """

    settings: Settings
    brand: Brand
    playbook: Playbook
    step: Step
    facts: Mapping[str, object]
    action: Action
    link_key: str


class Values(Mapping[str, object]):
    """Every known name with its value, None where it is missing, for one message. A value is made when it is first
    asked for: a message shows few of them.
    """

    def __init__(self, about: About) -> None:
        self._about = about
        self._values: dict[str, object] = {}

    def give(self, **values: object) -> "Values":
        """Itself, with what the message says of itself."""
        self._values |= values
        return self

    def __getitem__(self, name: str) -> object:
        if name not in self._values:
            self._values[name] = _MADE[name](self._about, self) if name in _MADE else _fact(self._about, name)
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values or name in _MADE or name in CATALOGUE

    def __iter__(self) -> Iterator[str]:
        return iter({**CATALOGUE, **_MADE, **self._values})

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _fact(about: About, name: str) -> object:
    return clean(_typed(about.facts.get(name), CATALOGUE[name].type))


def _account_name(about: About) -> object:
    name = names.account_name(_fact(about, "account_name"))
    if name is not None:
        return name
    return "your team" if about.step.to in CUSTOMER_ROLES else clean(about.action.account_id)


def _story(about: About, values: Values, *, of_expansion: bool = False) -> Mapping[str, str] | None:
    url = about.settings.product_url
    return about.brand.story_for(values["industry"], values["tier"], url, of_expansion=of_expansion)


_MADE: Mapping[str, Callable[[About, Values], object]] = {
    "account_name": lambda about, _: _account_name(about),
    "owner_email": lambda about, _: _address(_fact(about, "owner_email")),
    "account_id": lambda about, _: clean(about.action.account_id),
    "contact_name": lambda about, _: names.person_name(clean(about.facts.get("recipient_name"))),
    "contact_first_name": lambda _, values: names.first_name(values["contact_name"]),
    "is_for_customer": lambda about, _: about.step.to in CUSTOMER_ROLES,
    "due_on": lambda about, values: about.action.due_at.astimezone(
        business_days.zone(str(values["timezone"] or ""))
    ).date(),
    "play_title": lambda about, _: about.playbook.title,
    "step_day": lambda about, _: about.step.day,
    "step_title": lambda about, _: about.step.title or about.step.step.replace("_", " ").capitalize(),
    "checklist": lambda about, _: list(about.step.checklist),
    "score_words": lambda about, _: _score_words(about.facts),
    "company_name": lambda about, _: about.settings.company_name,
    "sender_name": lambda about, _: about.settings.sender_name,
    "postal_address": lambda about, _: about.settings.postal_address,
    "unsubscribe_url": lambda about, _: unsubscribe_link(about.settings, about.action.action_key, about.link_key),
    "account_url": lambda about, _: f"{about.settings.ui_url.rstrip('/')}/assets/cs/health_scores",
    "brand": lambda about, _: about.brand.in_templates,
    "link": lambda about, values: _links(about.brand, about.settings, str(values["asked_by"])),
    "asked_by": lambda about, _: reference_of(about.action),
    "story": _story,
    "expansion_story": lambda about, values: _story(about, values, of_expansion=True),
}
"""How each value is made that is not a fact of the catalogue as it is. What a mail says of itself is given."""


def reference_of(action: Action) -> str:
    """What names a message in a link: it tells nothing of its reader, and cs.actions is found by it."""
    return hashlib.md5(action.action_key.encode(), usedforsecurity=False).hexdigest()


def _links(brand: Brand, settings: Settings, reference: str) -> Mapping[str, str]:
    """Every link says of which message it was, so that what came of it is known beside whoever counts clicks."""
    return {
        name: _with(url, "asked_by" if name == "feedback" else MESSAGE_IN_LINK, reference)
        for name, url in brand.links_under(settings.product_url).items()
    }


def _with(url: str, name: str, value: str) -> str:
    url, mark, place = url.partition("#")
    return f"{url}{'&' if '?' in url else '?'}{name}={value}{mark}{place}"


def _typed(value: object, kind: str) -> object:
    """Facts of a trigger come out of JSON, in which a day is a text."""
    return date.fromisoformat(value) if kind == "date" and isinstance(value, str) else value


def _address(value: object) -> str | None:
    """An e-mail address that can stand in a header, or None."""
    text = str(value or "")
    is_sound = text.count("@") == 1 and not any(sign.isspace() or sign in '<>,;:"()' for sign in text)
    return text if is_sound and text[0] != "@" != text[-1] else None


def _score_words(facts: Mapping[str, object]) -> str | None:
    """The change that started the play, or else today's score; None where there is neither."""
    from_score, from_band = _score(facts, "from_score", "from_band")
    to_score, to_band = _score(facts, "to_score", "to_band")
    if from_score is not None or to_score is not None:
        given = facts.get("drivers")
        drivers = [
            Driver(driver["metric"], driver["delta"], driver["cause"], driver.get("before"), driver.get("after"))
            for driver in (given if isinstance(given, list) else [])
            if driver["metric"] in METRICS
        ]
        return explain_change(Change(from_score, to_score, from_band, to_band, drivers))
    score, band = _score(facts, "score", "band")
    return None if score is None else f"Score {in_words(score)} ({band})."


def _score(facts: Mapping[str, object], score: str, band: str) -> tuple[float | None, str | None]:
    """A score and its band: both, or neither."""
    value, name = facts.get(score), clean(facts.get(band))
    if isinstance(value, int | float) and not is_missing(value) and isinstance(name, str):
        return float(value), name
    return None, None
