"""Put into one sentence what PostgreSQL refuses for a reason that lies with the server, the role or the database.

Only what somebody who looks after the database can put right. Errors of our own statements stay as they are: they are
defects of the program.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.address import VARIABLE

LOST = "08006"
NOT_BUILT = "42P01"
_NO_SUCH_SCHEMA = "3F000"
_RAISED = "P0001"
_TOO_LARGE = "22003"
# SQLSTATE, or the class that it begins with: what to do. The longer match counts.
_REMEDIES = {
    "42501": "Grant the role of CS_PIPELINE_DATABASE_URL what it lacks; "
    "`cs-pipeline doctor` says what is needed, and docs/operate.md how to grant it",
    "25006": "The role, the database or the server only reads: connect with a role that may write, to the primary "
    "server, and see that default_transaction_read_only is off for it",
    NOT_BUILT: "It is not built yet, or by an older version: run `cs-pipeline load`, and then `cs-pipeline backfill`",
    _NO_SUCH_SCHEMA: "Its search_path names no schema in which it may create: set one for the role, as in "
    "`alter role … set search_path = public`",
    "55P03": "Somebody else holds the lock for longer than lock_timeout; look for them in pg_locks, "
    "or raise the lock_timeout that the address sets",
    "57014": "A statement was ended, by its statement_timeout or by a person; raise the timeout that the address, "
    "the role or the database sets",
    "25P03": "A session was ended by idle_in_transaction_session_timeout; raise it for the role",
    "25P04": "A transaction was ended by transaction_timeout; raise it for the role",
    "57P05": "A session was ended by idle_session_timeout; raise it for the role",
    "57P": "The server was stopped, or somebody ended the session; run the command again when it is back",
    "08": f"The connection broke off; see whether the server at {VARIABLE} is up, and run the command again",
    "28": f"The server does not let this role in; check user and password in {VARIABLE}, and pg_hba.conf",
    "3D000": f"The database is not there; create it, or correct {VARIABLE}",
    "53100": "The disk of the server is full; make room, and run the command again",
    "53200": "The server is out of memory; lower work_mem or the load on it, and run the command again",
    "53300": "The server takes no more connections; raise max_connections, or the role's connection limit",
    "53": "The server lacks resources; see its log",
    "54": "A limit of the server is passed; see its log",
    "58": "The server cannot read or write its files; see its log",
    "XX001": "The database is damaged; see the server's log before anything else",
    "XX002": "An index of the database is damaged; see the server's log, and rebuild it with reindex",
    _TOO_LARGE: "A number is larger than any that is kept; give a smaller one",
    _RAISED: "A function or a trigger in the database raised it; ask who looks after that",
    "0A000": "This server cannot do that; the pipeline needs PostgreSQL 15 to 18",
}


class DatabaseUnreachable(UserError):
    """Nobody answers at the address of the database, or lets this role in."""


class DatabaseRefusal(UserError):
    """PostgreSQL refused for a reason that lies with the server, the role or the database; `sqlstate` says which."""

    def __init__(self, words: str, sqlstate: str) -> None:
        super().__init__(words)
        self.sqlstate = sqlstate


def in_words(error: BaseException, location: str = "") -> DatabaseRefusal | None:
    """The refusal in a sentence, wherever in the chain of causes it stands; None for any other error."""
    if not isinstance(error, Exception):
        return None  # somebody interrupts
    for cause in _chain(error):
        if isinstance(cause, UserError):
            return None
        sqlstate = _sqlstate(cause)
        remedy = _remedy(sqlstate) if sqlstate else None
        if sqlstate and remedy:
            at = f" at {location}" if location else ""
            return DatabaseRefusal(f"PostgreSQL{at} says: {_said(cause)}. {remedy}.", sqlstate)
    return None


@contextmanager
def refusals_in_words(location: str) -> Iterator[None]:
    """Within, what the server, the role or the database refuses is raised as a DatabaseRefusal."""
    try:
        yield
    except Exception as error:
        if refusal := in_words(error, location):
            raise refusal from None
        raise


def is_told_late(refusal: DatabaseRefusal) -> bool:
    """Whether the driver's own error is passed on to the edge of the program: who may try again when a connection is
    gone looks for that, and what a function or a value raises may be meant for its caller.
    """
    return refusal.sqlstate.startswith(("08", "57P", _RAISED, _TOO_LARGE))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = getattr(error, "orig", None)  # SQLAlchemy's errors hold the driver's
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__


def _sqlstate(error: BaseException) -> str | None:
    """The code of psycopg2's and ADBC's errors; a connection that broke off has none, and counts as 08006."""
    import psycopg2.errors  # noqa: PLC0415 - the edge of the command line asks here without a database

    if isinstance(error, psycopg2.Error):
        is_lost = isinstance(error, psycopg2.OperationalError) or "connection already closed" in str(error)
        if isinstance(error, psycopg2.errors.InvalidSchemaName) and "does not exist" in str(error):
            return NOT_BUILT  # the code is that of a search_path without a schema as well
        return error.pgcode or (LOST if is_lost else None)
    code = getattr(error, "sqlstate", None)
    return code if isinstance(code, str) and len(code) == 5 else None


def _remedy(sqlstate: str) -> str | None:
    return next((_REMEDIES[sqlstate[:length]] for length in (5, 3, 2) if sqlstate[:length] in _REMEDIES), None)


def _said(error: BaseException) -> str:
    """PostgreSQL's first line, without detail, which may quote rows."""
    diagnostics = getattr(error, "diag", None)
    said = getattr(diagnostics, "message_primary", None) or str(error)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[0].removeprefix("ERROR:").strip().rstrip(".") if lines else type(error).__name__
