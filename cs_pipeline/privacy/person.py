"""Say who is to be forgotten, and change rows by their addresses, user ids and names."""

import re
from dataclasses import dataclass, field

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.addresses import address_of, same_spelling
from cs_pipeline.errors import UserError

NOTHING = "(?!)"  # matches no text


@dataclass(frozen=True)
class Person:
    """Who is to be forgotten. Stays out of its repr."""

    addresses: list[str] = field(repr=False)
    user_ids: list[str] = field(repr=False)
    names: list[str] = field(repr=False)

    @property
    def pattern(self) -> str:
        """A regular expression, for PostgreSQL, of every address and name as whole words."""
        texts = sorted((*self.addresses, *self.names), key=len, reverse=True)
        return f"(?<![[:alnum:]])(?:{'|'.join(map(re.escape, texts))})(?![[:alnum:]])" if texts else NOTHING

    @property
    def parameters(self) -> dict[str, object]:
        """What statements about the person ask by."""
        return {"addresses": self.addresses, "user_ids": self.user_ids, "pattern": self.pattern}


def find(cursor: Cursor, person: str) -> Person:
    """Who has the e-mail address or user id. Raises UserError when nobody is known by it."""
    given, person = person, address_of(person) or person
    rows: list[tuple[str, str | None, str | None]] = []
    if tables_of(cursor, "raw", ["users"]):
        cursor.execute(
            "select user_id, lower(email), full_name from raw.users where user_id = %s or cs.address_of(email) = %s "
            "or lower(email) = lower(%s)",
            [given, person, person],
        )
        rows = cursor.fetchall()
    cursor.execute("select true from cs.actions where lower(recipient) = lower(%s) limit 1", [person])
    is_recipient = cursor.fetchone() is not None and "@" in person
    if not rows and not is_recipient:
        raise UserError("Nobody is known by that address or user id; nothing was changed")
    spelt = {email for _, email, _ in rows if email}
    addresses = spelt | {same_spelling(email) for email in spelt} | ({person.lower()} if "@" in person else set())
    # A first name alone is that of many: it goes from the person's own rows and messages, not from those of others.
    names = {name.strip() for _, _, name in rows if name and " " in name.strip()}
    return Person(sorted(addresses), sorted(user_id for user_id, _, _ in rows), sorted(names))


def change(cursor: Cursor, statement: str | sql.Composable, person: Person, **more: object) -> int:
    """Run a statement about the person; returns how many rows it changed."""
    cursor.execute(statement, person.parameters | more)
    return cursor.rowcount


def tables_of(cursor: Cursor, schema: str, names: list[str]) -> set[str]:
    """Those of `names` that are there."""
    cursor.execute(
        "select name from unnest(%s::text[]) as name where to_regclass(%s || '.' || name) is not null", [names, schema]
    )
    return {name for (name,) in cursor.fetchall()}
