"""Write selects into a team's mapping folder, and know by a mark above them which it has changed since."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["new", "rewritten", "the same", "kept"]
_MARK = re.compile(r"\A-- Written by .*\n-- .*\(unchanged: ([0-9a-f]{12})\)\n")


@dataclass(frozen=True)
class Written:
    """A file, and what became of it. `kept`: the team has changed it, or wrote it, so it stays as it is."""

    path: Path
    state: State


def write(path: Path, sql: str, command: str, *, force: bool) -> Written:
    """Write a select with a mark above it; over one that somebody changed only with `force`."""
    text = (
        f"-- Written by `{command}`, and yours from here on.\n"
        f"-- Once you change it, the command leaves it alone (unchanged: {_digest(sql)})\n{sql}"
    )
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return Written(path, "new")
    before = path.read_bytes().decode("utf-8", errors="replace")
    if before == text:
        return Written(path, "the same")
    if not (force or _is_unchanged(before)):
        return Written(path, "kept")
    path.write_text(text, encoding="utf-8")
    return Written(path, "rewritten")


def _is_unchanged(text: str) -> bool:
    mark = _MARK.match(text)
    return bool(mark) and mark[1] == _digest(text[mark.end() :])


def _digest(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()[:12]
