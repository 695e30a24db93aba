"""Set what every session of ours needs, whatever a role or a database sets by itself.

Only what the pipeline's own work relies on: how values are written, and that a long statement or a wait for a lock is
not cut off. Whoever wants to bound our sessions says so in the address, as `?options=-c statement_timeout=10min`: what
stands there is left alone. What a database administrator closes on purpose (`default_transaction_read_only`, rights) is
never opened.
"""

import re
from collections.abc import Mapping

from cs_pipeline.warehouse.address import Address

NO_LIMIT = "0"
SESSION_SETTINGS = {
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "statement_timeout": NO_LIMIT,
    "lock_timeout": NO_LIMIT,
    "idle_in_transaction_session_timeout": NO_LIMIT,
    "idle_session_timeout": NO_LIMIT,
    "transaction_timeout": NO_LIMIT,
}
TIMEOUTS = tuple(name for name, value in SESSION_SETTINGS.items() if value == NO_LIMIT)


def left_alone(address: Address) -> set[str]:
    """The settings that the address itself makes."""
    options = address.options.get("options", "").replace("\\ ", " ")
    return {name.replace("-", "_").lower() for name in re.findall(r"(?:-c\s*|--)([\w-]+)=", options)}


def settings_of_a_session(address: Address) -> list[str]:
    """Statements that make the settings; those that the server's version does not know are passed over."""
    theirs = left_alone(address)
    first = [] if "statement_timeout" in theirs else [f"set statement_timeout = {NO_LIMIT}"]
    calls = " ".join(
        f"if current_setting('{name}', true) is not null then perform set_config('{name}', '{value}', false); end if;"
        for name, value in SESSION_SETTINGS.items()
        if name not in theirs
    )
    return [*first, f"do $$ begin {calls} end $$"]


def options_beyond(address: Address, found: Mapping[str, str], search_path: str = "") -> str:
    """The `options` with which a program that knows no settings of ours gets a session like ours.

    `found` holds what a plain session has; only what differs is said, because connection poolers may refuse options.
    """
    theirs = left_alone(address)
    wanted = {
        name: value
        for name, value in SESSION_SETTINGS.items()
        if name in found and name not in theirs and name != "datestyle" and found[name] != value
    }
    if search_path and "search_path" not in theirs and found["search_path"] != search_path:
        wanted["search_path"] = search_path
    said = [f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in wanted.items()]
    return " ".join(filter(None, [address.options.get("options", ""), *said]))
