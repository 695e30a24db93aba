"""Read from the SQL of a rule what is asked of it without dbt: the defaults of its parameters, and what replays forbid.

Text in, findings out; what the properties file says beside it is read in `rulebook`.
"""

import ast
import re
from pathlib import Path

from cs_pipeline.alerts.parameters import Values
from cs_pipeline.yaml_with_lines import InvalidFile

_CALL = re.compile(r"alert_parameters\(\s*(['\"])(?P<rule>[^'\"]*)\1\s*,\s*(?=\{)")
_UNREAD = re.compile(r"\{#.*?#\}|--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.S)
_PRESENT = re.compile(
    r"\b(?:now\s*\(\s*\)|present\s*\(\s*\)|current_date|current_time(?:stamp)?|localtime(?:stamp)?"
    r"|(?:clock|statement|transaction)_timestamp\s*\(\s*\))",
    re.I,
)
_FACTS = re.compile(r"\bjsonb_build_object\s*\(")


def read_defaults(path: Path, rule: str) -> Values:
    """The defaults in the rule's own call of `alert_parameters`; none where it has no parameters.

    Raises InvalidFile where they are not written out, where the call names another rule, and where the SQL asks for the
    present.
    """
    text = path.read_text(encoding="utf-8")
    present = _PRESENT.search(_UNREAD.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text))
    if present:
        raise InvalidFile(
            f"{path}:{_line(text, present.start())}: asks for the present with {present[0]}: ask for moments.as_of, or "
            "a replay of the past sees today"
        )
    calls = list(_CALL.finditer(text))
    for call in calls:
        if call["rule"] == rule:
            return _written_out(text, call, path)
    if calls:
        where = f"{path}:{_line(text, calls[0].start())}: alert_parameters"
        raise InvalidFile(f"{where}: is asked for those of {calls[0]['rule']!r}; this rule is {rule!r}")
    return {}


def facts_in(path: Path) -> list[str] | None:
    """Names of the facts that the SQL writes out; None where they are made elsewhere, by a macro, or worked out."""
    text = path.read_text(encoding="utf-8")
    found: list[str] = []
    for call in _FACTS.finditer(text):
        names = _arguments(text, call.end())[::2]
        if not all(re.fullmatch(r"'[^'{}]*'", name) for name in names):
            return None
        found += [name.strip("'") for name in names]
    return found or None


def _arguments(text: str, start: int) -> list[str]:
    """The arguments of a call whose bracket opens before `start`."""
    arguments, depth, quoted, begin = [], 1, False, start
    for place in range(start, len(text)):
        sign = text[place]
        if sign == "'":
            quoted = not quoted
        elif not quoted and sign in "([{":
            depth += 1
        elif not quoted and sign in ")]}":
            depth -= 1
        if depth == 0 or (depth == 1 and sign == "," and not quoted):
            arguments.append(text[begin:place].strip())
            begin = place + 1
        if depth == 0:
            break
    return arguments


def _written_out(text: str, call: re.Match[str], path: Path) -> Values:
    where = f"{path}:{_line(text, call.end())}: alert_parameters"
    try:
        values = ast.literal_eval(_braces(text, call.end()))
    except (ValueError, SyntaxError):
        raise InvalidFile(f"{where}: its defaults are not written out, such as {{'days': 10}}") from None
    for name, value in values.items():
        is_list = isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
        if isinstance(value, bool) or not (isinstance(value, int | float | str) or is_list):
            raise InvalidFile(f"{where}: {name}: expected a number, a text or a list of texts")
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _braces(text: str, start: int) -> str:
    """The text from the brace at `start` to the one that closes it."""
    depth, quote = 0, ""
    for place in range(start, len(text)):
        sign = text[place]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "{}":
            depth += 1 if sign == "{" else -1
            if depth == 0:
                return text[start : place + 1]
    return text[start:]
