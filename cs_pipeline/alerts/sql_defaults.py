"""Read the defaults of a rule's parameters from its SQL, where its call of `alert_parameters` has them written out."""

import ast
import re
from pathlib import Path

from cs_pipeline.alerts.parameters import Values
from cs_pipeline.yaml_with_lines import InvalidFile

_CALL = re.compile(r"alert_parameters\(\s*(['\"])(?P<rule>[^'\"]*)\1\s*,\s*(?=\{)")


def defaults_in_sql(path: Path, rule: str) -> Values:
    """The defaults in the rule's own call of `alert_parameters`; none where it has no parameters."""
    text = path.read_text(encoding="utf-8")
    for call in _CALL.finditer(text):
        if call["rule"] == rule:
            where = f"{path}:{text.count(chr(10), 0, call.end()) + 1}: alert_parameters"
            try:
                values = ast.literal_eval(_braces(text, call.end()))
            except (ValueError, SyntaxError):
                raise InvalidFile(f"{where}: its defaults are not written out, such as {{'days': 10}}") from None
            for name, value in values.items():
                is_list = isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
                if isinstance(value, bool) or not (isinstance(value, int | float | str) or is_list):
                    raise InvalidFile(f"{where}: {name}: expected a number, a text or a list of texts")
            return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return {}


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
