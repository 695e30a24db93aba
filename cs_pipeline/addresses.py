"""One spelling for each mailbox. Every address is brought to it where it enters, and again where it is compared.

The same in SQL is `cs.address_of`, for rows of which there are many; a test holds the two together. What it means that
mail is refused by an address is in `cs.refused_addresses`, not here.

It reads the ways in which files spell one address: letters' case, blanks and signs that nobody sees, full-width
letters, quotes, `mailto:`, `Ann <ann@x.example>`, a dot or comma behind it, domains in letters or in punycode. The
local part is compared without case, as every provider does. What may be two mailboxes is kept apart: `ann+news@` and
`ann@`, dots in Gmail's addresses, look-alike letters of other scripts. What is no address, or several, is none.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping

LONGEST = 254  # RFC 5321, 4.5.3.1
LONGEST_LOCAL_PART = 64
LONGEST_LABEL = 63
MOST_BYTES = 4_000  # of what is read at all, with a name and whatever else is around the address

_UNSEEN = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200d\u200e\u200f" + "".join(
    map(chr, [*range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10), 0xFEFF, *range(0xFFF9, 0xFFFC)])
)
_BLANKS = "\t\n\v\f\r\u0085\u1680\u2028\u2029"  # those that compatibility decomposition leaves
_QUOTES = {"‘": "'", "’": "'", "‛": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"'}
_DOTS = {"。": "."}


def _is_capital(sign: str) -> bool:
    lower = sign.lower()
    is_stable = all(unicodedata.normalize("NFKC", each) == each for each in (sign, lower))
    return len(lower) == 1 and lower != sign and is_stable and unicodedata.category(sign) in ("Lu", "Lt", "Nl", "So")


CAPITALS: Mapping[str, str] = {sign: sign.lower() for sign in map(chr, range(0x10000)) if _is_capital(sign)}
"""Small letters by capital ones, sign by sign, whatever the language of the machine or the database."""

_RESPELLED = str.maketrans(
    {**dict.fromkeys(_UNSEEN, ""), **dict.fromkeys(_BLANKS, " "), **_QUOTES, **_DOTS, **CAPITALS, "İ": "i"}
)

_LOCAL_PART = re.compile(r"""[^\x00-\x20\x7f-\x9f@<>,;:"()\[\]\\]+""")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_LAST_LABEL = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")


def address_of(text: str | None) -> str | None:
    """The one spelling of the mailbox that `text` names; None where it names none, or more than one."""
    if text is None or not _is_readable(text):
        return None
    named = _unwrapped(_plain(text))
    local, at, domain = named.partition("@")
    if not at or not _LOCAL_PART.fullmatch(local) or len(local) > LONGEST_LOCAL_PART:
        return None
    if local[0] == "." or local[-1] == ".":
        return None
    labels = [_label(label) for label in domain.split(".")]
    is_domain = len(labels) > 1 and all(
        len(label) <= LONGEST_LABEL and _LABEL.fullmatch(label) is not None for label in labels
    )
    if not is_domain or not _LAST_LABEL.fullmatch(labels[-1]):
        return None
    found = f"{local}@{'.'.join(labels)}"
    return found if len(found) <= LONGEST else None


def same_spelling(text: str) -> str:
    """`text` as it is compared: the address that it names, else itself without blanks around it, in lower case."""
    return address_of(text) or text.strip().lower()


def domain_of(text: str) -> str | None:
    """The one spelling of the domain that `text` names, such as that of an entry `@acme.example`."""
    found = address_of(f"x@{text}")
    return None if found is None else found.partition("@")[2]


def _is_readable(text: str) -> bool:
    is_text = "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)
    return is_text and len(text.encode()) <= MOST_BYTES


def _plain(text: str) -> str:
    respelled = unicodedata.normalize("NFKC", text).translate(_RESPELLED)
    return unicodedata.normalize("NFKC", respelled).strip(" ")


def _unwrapped(text: str) -> str:
    """The address without what files put around it; steps and their order are those of the function in SQL."""
    text = re.sub(r"^mailto: *", "", text)
    text = re.sub(r"[ ,;.]+$", "", text)
    if wrapped := re.fullmatch(r"([^<>]*)<([^<>]*)>", text):
        before, inside = wrapped.groups()
        if "@" in before and re.search("[,;]", before):
            return ""  # several addresses
        text = re.sub(r"^mailto: *", "", inside.strip(" "))
    text = re.sub(r"(@[^?]*)\?.*$", r"\1", text)  # the subject of a link
    text = re.sub(r" *\([^()]*\)$", "", text)
    text = re.sub(r"""^["'`](.*)["'`]$""", r"\1", text)
    text = re.sub(r"^[ ,;]+", "", re.sub(r"[ ,;.]+$", "", text))
    text = re.sub(r" *@ *", "@", text)
    return re.sub(r'^"([^"@ ]+)"@', r"\1@", text)


def _label(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode()


def hash_of(address: str) -> str:
    """What is kept of an address: SHA-256 of its one spelling."""
    return hashlib.sha256(same_spelling(address).encode()).hexdigest()
