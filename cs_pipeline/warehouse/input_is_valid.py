"""Say which SQL function tells whether a text is a value of a type: PostgreSQL's own, or ours before PostgreSQL 16.

Before 16 a value can only be tried, and each try that may fail is a transaction within the transaction. So what nearly
every value looks like is known by its form, and only the others are tried.
"""

from psycopg2.extensions import cursor as Cursor

FIRST_WITH_INPUT_IS_VALID = 160_000

_DAY = r"(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
_LATE_DAY = r"(?!0000)\d{4}-((0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
_TIME = r"([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-](0\d|1[0-3])(:?[0-5]\d)?)?)?"
_MOMENT = f"value ~ '^{_DAY}{_TIME}$' or value ~ '^{_LATE_DAY}{_TIME}$'"
_SURELY_VALID = {
    "timestamp": _MOMENT,
    "timestamptz": _MOMENT,
    "date": f"value ~ '^{_DAY}$' or value ~ '^{_LATE_DAY}$'",
    "integer": "value <> '' and length(value) < 10 and translate(value, '0123456789', '') = ''",
    "double precision": r"value ~ '^[+-]?\d{1,15}(\.\d{1,15})?$'",
}
"""By type, what is true of nothing but values of it; by no means of all of them."""


def validity_function(cursor: Cursor) -> str:
    """The name of a function of two texts, a value and a type; made for this session where PostgreSQL has none."""
    if cursor.connection.server_version >= FIRST_WITH_INPUT_IS_VALID:
        return "pg_input_is_valid"
    surely = " ".join(f"when '{name}' then {condition}" for name, condition in _SURELY_VALID.items())
    cursor.execute(
        "set local citus.enable_ddl_propagation = off; "  # it is this session's alone; unknown to plain PostgreSQL
        "create or replace function pg_temp.input_is_valid(value text, type text) returns boolean "
        "language plpgsql strict as "
        f"$$ begin if (case type {surely} else false end) then return true; end if; "
        "begin execute format('select %L::%s', value, type); return true; exception when others then return false; "
        "end; end $$; set local citus.enable_ddl_propagation = on"
    )
    return "pg_temp.input_is_valid"
