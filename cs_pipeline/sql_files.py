"""Read the SQL that stands in a file beside the module that runs it.

`<module>.sql` where a module has one such statement, `<module>.<statement>.sql` where it has several. Values are bound
when the statement is run (`%(name)s` for psycopg2, `$1` for Arrow); `{name}` stands for SQL that the module puts in,
such as a list of columns.
"""

import re
from functools import cache
from pathlib import Path

_PART = re.compile(r"\{([a-z_]+)\}")


def read_sql(module_file: str, statement: str = "", **parts: str) -> str:
    """The statement of the module whose `__file__` is given, with `parts` in place of `{name}`.

    Raises ValueError unless the file has a place for every part and every place has one.
    """
    path = Path(module_file).with_suffix(f".{statement}.sql" if statement else ".sql")
    text = _text(path)
    if differing := sorted(set(_PART.findall(text)) ^ set(parts)):
        raise ValueError(f"{path.name} and who reads it differ in: {', '.join(differing)}")
    return _PART.sub(lambda place: parts[place[1]], text)


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
