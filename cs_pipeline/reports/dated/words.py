"""Write figures, days and counts as all reports write them. Pure."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from markupsafe import Markup, escape

from cs_pipeline.plays.messages import names
from cs_pipeline.plays.messages.environment import clean, in_words, is_missing

LONGEST_NAME = 60
UNKNOWN = "unknown"
SEVERITY_WORDS = {0: "healthy", 1: "watch", 2: "at risk", 3: "critical"}


_FIGURE = re.compile(r"([+−][^\s\d]{0,4}\d[\d.,]*(?: %)?|\d[\d.,]* %)")
"""With a sign before it or a per cent after it: a browser may begin a new line after '−' and before '%'."""
_ON_ONE_LINE = Markup('<span style="white-space: nowrap">{}</span>')


class Money:
    """Amounts in the team's currency, rounded to wholes."""

    def __init__(self, currency: str) -> None:
        self._currency = currency

    def __call__(self, amount: Any) -> str:
        """'$12,300'; nothing is known of what is missing."""
        if is_missing(amount):
            return UNKNOWN
        rounded = round(float(amount))
        return f"{'−' if rounded < 0 else ''}{self._currency}{in_words(abs(rounded))}"

    def signed(self, amount: Any) -> str:
        """'+$1,200' or '−$300'."""
        return self(amount) if is_missing(amount) or round(float(amount)) <= 0 else f"+{self(amount)}"


def number(value: Any, missing: str = "") -> str:
    """'1,234.5'; `missing` where there is none."""
    return missing if is_missing(value) else in_words(round(float(value), 1))


def share(value: Any, missing: str = UNKNOWN) -> str:
    """'62.5 %' of a share."""
    return missing if is_missing(value) else f"{in_words(round(100 * float(value), 1))} %"


def signed(value: Any, missing: str = "") -> str:
    """'+4' or '−3.5'."""
    if is_missing(value):
        return missing
    words = in_words(round(float(value), 1))
    return words if words.startswith("−") or words == "0" else f"+{words}"


def unbroken(words: str) -> Markup:
    """The words as HTML that keeps each figure on one line: '−$131', '+6.9 %'."""
    parts = enumerate(_FIGURE.split(words))  # every second one is a figure
    return Markup("").join(_ON_ONE_LINE.format(part) if number % 2 else escape(part) for number, part in parts)


def day(value: date | None, missing: str = UNKNOWN) -> str:
    """'2 June 2025'."""
    return missing if is_missing(value) else in_words(value)


def count(how_many: int, one: str, many: str = "") -> str:
    """'1 account', '12 accounts'."""
    return f"{how_many:,} {one if how_many == 1 else many or one + 's'}"


def listed(parts: Sequence[str]) -> str:
    """'a, b and c'."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def sentence(words: str) -> str:
    """The words with a capital at their beginning, as a sentence begins."""
    return words[:1].upper() + words[1:]


def account_words(account_name: object, account_id: object) -> str:
    """How an account is called: by its name, or where that says nothing by its id; one line, not too long."""
    text = names.account_name(clean(account_name)) or str(clean(str(account_id)) or "")
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1].rstrip() + "…"


def moved(what: str, before: Any, now: Any, words: Any) -> str:
    """'ARR at risk rose from $1,000 to $1,200', each figure by `words`."""
    if is_missing(before):
        return f"{what} is {words(now)}"
    if words(before) == words(now):
        return f"{what} stayed at {words(now)}"
    return f"{what} {'rose' if float(now) > float(before) else 'fell'} from {words(before)} to {words(now)}"
