"""Keep who may sign in with a password, and which browsers are signed in (`cs.site_users`, `cs.site_sessions`).

Passwords are hashed by argon2id; of a browser's token only the SHA-256 is kept.
"""

import hashlib
import secrets
from functools import cache
from threading import BoundedSemaphore

import pandas as pd
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError

SHORTEST, LONGEST = 10, 1_000  # signs of a password
LASTS_DAYS = 7  # a browser stays signed in
_hasher = PasswordHasher()
_at_once = BoundedSemaphore(2)  # each check takes 64 MB for a moment


def set_user(session: Session, name: str, password: str, by: str) -> bool:
    """Add a user, or give one a new password, which ends their sessions; True when they are new.

    Raises UserError for a name or a password that cannot be one.
    """
    name = _name(name)
    if not SHORTEST <= len(password) <= LONGEST:
        raise UserError(f"The password has {len(password)} signs; expected {SHORTEST} to {LONGEST:,}")
    with session.cursor() as cursor:
        cursor.execute("delete from cs.site_sessions where name = %s", [name])
        cursor.execute(
            """
            insert into cs.site_users (name, password_hash, added_by)
            values (%s, %s, %s)
            on conflict (name) do update set password_hash = excluded.password_hash, changed_at = now()
            returning xmax = 0
            """,
            [name, _hasher.hash(password), by],
        )
        return cursor.fetchone() == (True,)


def remove_user(session: Session, name: str) -> None:
    """Remove a user and end their sessions. Raises UserError when there is none of that name."""
    with session.cursor() as cursor:
        cursor.execute("delete from cs.site_users where name = %s", [name.strip().lower()])
        if cursor.rowcount == 0:
            raise UserError(f"There is no user '{name}'; `cs-pipeline user list` lists them")


def users(session: Session) -> pd.DataFrame:
    """Columns name, added_by, added_at, password_set_at, browsers (in which they are signed in now)."""
    columns = ["name", "added_by", "added_at", "password_set_at", "browsers"]
    with session.cursor() as cursor:
        cursor.execute(
            """
            select name, added_by, added_at, changed_at, (
                select count(*)::integer from cs.site_sessions
                where site_sessions.name = site_users.name and expires_at > now()
            )
            from cs.site_users
            order by name
            """
        )
        return pd.DataFrame(cursor.fetchall(), columns=columns)


def has_users(session: Session) -> bool:
    """Whether anybody can sign in."""
    with session.cursor() as cursor:
        cursor.execute("select exists (select from cs.site_users)")
        return cursor.fetchone() == (True,)


def is_password_of(session: Session, name: str, password: str) -> bool:
    """Whether it is; takes as long for a name that is nobody's."""
    with session.cursor() as cursor:
        cursor.execute("select password_hash from cs.site_users where name = %s", [name.strip().lower()])
        found = cursor.fetchone()
    try:
        with _at_once:
            return _hasher.verify(found[0] if found else _nobodys_hash(), password) and found is not None
    except (VerificationError, InvalidHashError):
        return False


def begin_session(session: Session, name: str) -> str:
    """Sign a browser in; returns its token. Sessions that are over are removed."""
    token = secrets.token_urlsafe(32)
    with session.cursor() as cursor:
        cursor.execute("delete from cs.site_sessions where expires_at <= now()")
        cursor.execute(
            "insert into cs.site_sessions (token_hash, name, expires_at) "
            "values (%s, %s, now() + %s * '1 day'::interval)",
            [_hash(token), name.strip().lower(), LASTS_DAYS],
        )
    return token


def user_of(session: Session, token: str) -> str | None:
    """Who is signed in with a token; None where nobody is."""
    with session.cursor() as cursor:
        cursor.execute("select name from cs.site_sessions where token_hash = %s and expires_at > now()", [_hash(token)])
        found = cursor.fetchone()
        return found[0] if found else None


def end_session(session: Session, token: str) -> None:
    """Sign a browser out."""
    with session.cursor() as cursor:
        cursor.execute("delete from cs.site_sessions where token_hash = %s", [_hash(token)])


def _name(name: str) -> str:
    lowered = name.strip().lower()
    if not lowered or len(lowered) > 200 or not lowered.isprintable():
        raise UserError(f"'{name}' cannot be a name; expected an e-mail address, as the owners of accounts have")
    return lowered


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))
