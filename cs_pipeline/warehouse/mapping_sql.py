"""Read the text of a mapping: make sure it is one select, and tell PostgreSQL's errors about it with the file's line.

Only what a view cannot refuse by itself is looked for here: a second statement. That the statement is a select that
changes nothing is left to `create view`, which takes nothing else.
"""

import re
from pathlib import Path

import psycopg2

from cs_pipeline.errors import UserError
from cs_pipeline.plain_files import require_text_file

MOST_BYTES = 1_000_000

_TOKENS = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*.*?\*/ )
    | (?P<literal> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | (?P<end> ; )
    | (?P<word> \w+ )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_STARTS = ("select", "with", "(", "values", "table")


def one_select(path: Path) -> str:
    """The select of a mapping file, without a closing semicolon. Raises UserError for anything else."""
    require_text_file(path, MOST_BYTES)
    try:
        sql = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8; save it as UTF-8.") from None
    code = [token for token in _TOKENS.finditer(sql) if not token["comment"] and not token[0].isspace()]
    if not code:
        raise UserError(f"{path} is empty: expected one select.")
    if code[0][0].lower() not in _STARTS:
        raise UserError(f"{path}, line {_line(sql, code[0].start())}: expected a select, found {code[0][0]!r}.")
    ends = [position for position, token in enumerate(code) if token["end"]]
    if ends and ends[0] != len(code) - 1:
        after = code[ends[0] + 1]
        raise UserError(f"{path}, line {_line(sql, after.start())}: a second statement begins; write one select.")
    return sql[: code[ends[0]].start()] if ends else sql


def in_words(error: psycopg2.Error, path: Path, sql: str, offset: int) -> UserError:
    """PostgreSQL's complaint about `sql`, which stood at `offset` of a statement, in words with file and line."""
    said = " ".join((error.diag.message_primary or str(error)).split())
    hint = f" ({error.diag.message_hint.rstrip('.')})" if error.diag.message_hint else ""
    position = int(error.diag.statement_position or 0) - 1 - offset
    where = f"{path}, line {_line(sql, position)}" if position >= 0 else str(path)
    return UserError(f"{where}: {said}{hint}.")


def _line(sql: str, position: int) -> int:
    return sql.count("\n", 0, position) + 1
