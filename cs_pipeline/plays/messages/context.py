"""Make the values that a template may show: facts of the account and the trigger, fit for readers, and ours.

How a value is printed is in `environment`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from cs_pipeline.health.explanation import Change, Driver, explain_change
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS, TRIGGER_FACTS, TriggerKind
from cs_pipeline.plays.messages import names
from cs_pipeline.plays.messages.brand import Brand
from cs_pipeline.plays.messages.environment import clean, in_words, is_missing
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
class TemplateFacts:
    """Makes the values that the templates of a playbook get."""

    settings: Settings
    brand: Brand
    playbook: Playbook

    def of(self, step: Step, facts: Mapping[str, object], action: Action) -> dict[str, object]:
        """Every known name with its value, None where it is missing, for one message."""
        settings, brand = self.settings, self.brand
        values = {name: clean(_typed(facts.get(name), fact.type)) for name, fact in CATALOGUE.items()}
        values["account_name"] = names.account_name(values["account_name"])
        if values["account_name"] is None:
            values["account_name"] = "your team" if step.to in CUSTOMER_ROLES else clean(action.account_id)
        values["owner_email"] = _address(values["owner_email"])
        name = names.person_name(clean(facts.get("recipient_name")))
        return values | {
            "account_id": clean(action.account_id),
            "contact_name": name,
            "contact_first_name": names.first_name(name),
            "is_for_customer": step.to in CUSTOMER_ROLES,
            "due_on": action.due_at.astimezone(business_days.zone(str(values["timezone"] or ""))).date(),
            "play_title": self.playbook.title,
            "step_day": step.day,
            "step_title": step.title or step.step.replace("_", " ").capitalize(),
            "checklist": list(step.checklist),
            "score_words": _score_words(facts),
            "company_name": settings.company_name,
            "sender_name": settings.sender_name,
            "postal_address": settings.postal_address,
            "account_url": f"{settings.ui_url.rstrip('/')}/assets/cs/health_scores",
            "brand": brand.in_templates(),
            "link": _links(brand, settings, reference_of(action)),
            "asked_by": reference_of(action),
            "story": brand.story_for(values["industry"], values["tier"], settings.product_url),
            "expansion_story": brand.story_for(
                values["industry"], values["tier"], settings.product_url, of_expansion=True
            ),
        }


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
