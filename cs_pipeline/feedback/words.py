"""Make of a word list the regular expressions with which PostgreSQL looks for it. Pure.

A text is first made plain (`PLAIN`): small letters, straight apostrophes, without what is quoted from an earlier mail.
What negates a word is then taken out with it (`negated`), and what is left is searched (`found`).
"""

import re

from cs_pipeline.feedback.definition import Negation, WordList

PLAIN = r"""
    regexp_replace(
        regexp_replace(
            translate(lower({text}), '’‘', ''''''),
            '(^|\n)[ \t]*(on [^\n]* wrote:|am [^\n]* schrieb[^\n]*:|le [^\n]* a écrit ?:|-+ ?original message ?-+).*$',
            '', 'i'
        ),
        '(^|\n)[ \t]*>[^\n]*', E'\n', 'g'
    )
"""
"""SQL of a text as words are looked for in it; `{text}` stands for the text."""

FOUND = "regexp_replace({plain}, {negated}, ' ', 'g') ~ {found}"
"""SQL of whether something of a list is found in a plain text and not negated."""

_BEGIN, _END = "(?<![[:alnum:]])", "(?![[:alnum:]])"
_BETWEEN = r"[^[:alnum:].!?;:,\n]+"
_NOT_LATIN = re.compile(r"[^\u0000-\u024F]")


def found(words: WordList) -> str:
    """What finds one of the words. An empty list finds nothing."""
    return "|".join(map(_phrase, words.words)) or "(?!)"


def negated(words: WordList, negation: Negation) -> str:
    """What finds one of the words that is taken back in the same breath: no mark stands between."""
    if not words.words or not (negation.before or negation.after):
        return "(?!)"
    word = f"(?:{found(words)})"
    ways = []
    if negation.before:
        but = f"(?!(?:{'|'.join(map(_phrase, negation.not_negating))}))" if negation.not_negating else ""
        before = f"{but}(?:{'|'.join(map(_phrase, negation.before))})"
        ways.append(f"{before}(?:{_BETWEEN}[[:alnum:]']+){{0,{negation.words_between}}}{_BETWEEN}{word}")
    if negation.after:
        ways.append(f"{word}{_BETWEEN}(?:{'|'.join(map(_phrase, negation.after))})")
    return "|".join(ways)


def _phrase(phrase: str) -> str:
    """A word or phrase as whole words; a script without spaces is found anywhere."""
    parts = [_word(part) for part in phrase.lower().replace("’", "'").split()]
    text = r"[^[:alnum:].!?;\n]+".join(parts)
    return text if _NOT_LATIN.search(phrase) else f"{_BEGIN}{text}{_END}"


def _word(word: str) -> str:
    stem = word.removesuffix("*")
    letters = "".join(sign if sign.isalnum() else f"\\{sign}" for sign in stem)
    return letters + ("[[:alnum:]]*" if word.endswith("*") else "")
