"""The words of the sample company: names of people and companies, features, subjects, comments.

Reads `vocabulary.yaml` and combines its words into names. Who bears which name is decided here from numbers the caller
draws, never by chance, so that a name does not depend on the order in which accounts are made.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml

LETTERS_WITHOUT_DECOMPOSITION = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i", "æ": "ae", "đ": "d", "’": "", "'": ""}
)


@dataclass(frozen=True)
class Country:
    """Names and time zones of one country; `given` and `family` are (as written, in ASCII) pairs."""

    code: str
    timezones: tuple[str, ...]
    stems: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, str], ...]
    forms: tuple[str, ...]
    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]
    company_pattern: str
    person_pattern: str

    def company(self, ordinal: int) -> tuple[str, str, int]:
        """Name, domain and industry (index) of the country's company number `ordinal`; no two are equal."""
        lap, stem = divmod(ordinal, len(self.stems))
        fields_used, step = divmod(lap, len(self.fields))
        number, second = divmod(fields_used, len(self.stems))
        second = (second + 7 * (step % 2)) % len(self.stems)  # every other lap is double-barrelled from the start
        industry = (stem * 5 + step) % len(self.fields)
        (name, ascii_name), (field, ascii_field) = self.stems[stem], self.fields[industry]
        if second:
            also, ascii_also = self.stems[(stem + second) % len(self.stems)]
            name, ascii_name = f"{name}-{also}", f"{ascii_name}-{ascii_also}"
        if number:
            name, ascii_name = f"{name} {number + 1}", f"{ascii_name}-{number + 1}"
        form = self.forms[ordinal % len(self.forms)]
        slug = re.sub(r"[^a-z0-9]+", "-", f"{ascii_name}-{ascii_field}-{self.code}".lower()).strip("-")
        return self.company_pattern.format(stem=name, field=field, form=form), f"{slug}.example", industry

    def person(self, given: int, family: int) -> tuple[str, str]:
        """Full name and the local part of the e-mail address of a person."""
        (first, ascii_first), (last, ascii_last) = self.given[given], self.family[family]
        local = re.sub(r"[^a-z0-9.]", "", f"{ascii_first}.{ascii_last}".lower())
        return self.person_pattern.format(given=first, family=last), local

    @cache  # noqa: B019 - a handful of countries that live as long as the process
    def people(self) -> tuple[np.ndarray, np.ndarray]:
        """Full names and local parts of all people of the country, indexed given * len(family) + family."""
        pairs = [self.person(g, f) for g in range(len(self.given)) for f in range(len(self.family))]
        return np.array([pair[0] for pair in pairs], object), np.array([pair[1] for pair in pairs], object)


@dataclass(frozen=True)
class Vocabulary:
    """Everything `vocabulary.yaml` holds; `country_cycle` repeats each country as often as it weighs."""

    countries: tuple[Country, ...]
    country_cycle: np.ndarray
    timezones: tuple[str, ...]
    industries: tuple[str, ...]
    words: dict[str, Any]


def to_ascii(word: str) -> str:
    """`word` in plain Latin letters, as in an e-mail address."""
    plain = unicodedata.normalize("NFKD", word.translate(LETTERS_WITHOUT_DECOMPOSITION))
    return "".join(letter for letter in plain if letter.isascii())


@cache
def vocabulary() -> Vocabulary:
    """The words, read once."""
    words = yaml.safe_load(files("cs_pipeline.demo").joinpath("vocabulary.yaml").read_text("utf-8"))
    countries = tuple(
        Country(
            code=entry["country"],
            timezones=tuple(entry["timezones"]),
            stems=_readings(entry["stems"]),
            fields=_readings(words["fields"][entry["language"]]),
            forms=tuple(entry["forms"]),
            given=_readings(entry["given"]),
            family=_readings(entry["family"]),
            company_pattern=entry["company"],
            person_pattern=entry.get("person", "{given} {family}"),
        )
        for entry in words["countries"]
    )
    cycle = np.repeat(np.arange(len(countries)), [entry["weight"] for entry in words["countries"]])
    zones = tuple(dict.fromkeys(zone for country in countries for zone in country.timezones))
    return Vocabulary(countries, cycle, zones, tuple(words["industries"]), words)


def _readings(words: list[str]) -> tuple[tuple[str, str], ...]:
    """(as written, in ASCII) of words that may carry their reading after a slash."""
    pairs = (word.partition("/") for word in words)
    return tuple((written, reading or to_ascii(written)) for written, _, reading in pairs)
