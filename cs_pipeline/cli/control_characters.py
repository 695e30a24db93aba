"""Write out control characters in data: escape sequences of terminals, and changes of the direction of text.

Somebody who may name an account must not be able to move the cursor of whoever reads the name, to clear the screen, or
to let a line read otherwise than it is.
"""

import re

# C0 but line break and tab, DEL, C1, what is invisible or overrides the direction of writing, line separators, lone
# surrogates, tags, and the byte order mark. The marks that Arabic and Hebrew text and emoji need are no danger.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u180e\u200b\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def has_control_characters(text: str) -> bool:
    """Whether a terminal would act on some of the text, or hide it."""
    return _HIDDEN.search(text) is not None


def escaped(value: object) -> str:
    """The value as text in which control characters are written out, such as \\x1b."""
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), str(value))


def on_one_line(value: object) -> str:
    """The same, with line breaks and tabs written out as well: for names within a sentence."""
    return escaped(value).replace("\n", "\\n").replace("\t", "\\t")
