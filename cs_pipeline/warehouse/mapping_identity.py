"""Find the account, and the user, of rows whose source does not name them: by their address, else by its domain.

An address is looked up among the users we know; a domain among theirs, and among the domains that sources of accounts
give. A domain of a provider of free mail, and one that two accounts have, finds nobody.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.mapping import DOMAIN, EMAIL, InstalledMapping, types_of
from cs_pipeline.warehouse.mapping_files import LED
from cs_pipeline.warehouse.mapping_reader import copy_rows

FREE_MAIL = Path(__file__).with_name("free_mail_domains.txt")

NOT_FOUND: Mapping[str, str] = {
    "free mail": "is empty, and its address is of a provider of free mail, whose domain says nothing",
    "several": "is empty, and more than one account has the address, or the domain, it is found by",
    "nobody": "is empty, and no account has the address, or the domain, it is found by",
    "nothing": "is empty, and there is no address or domain to find it by",
}
"""What is said of a row without an account, by why none was found."""


@cache
def free_mail_domains() -> tuple[str, ...]:
    """Domains at which anybody may have an address."""
    return tuple(FREE_MAIL.read_text(encoding="utf-8").split())


def has_helpers(cursor: Cursor, views: Sequence[InstalledMapping]) -> bool:
    """Whether some view gives addresses or domains to find accounts and users by."""
    return any({EMAIL, DOMAIN} & set(types_of(cursor, view.relation)) for view in views)


def learn_who_is_known(
    warehouse: Warehouse, cursor: Cursor, table: str, installed: Mapping[str, Sequence[InstalledMapping]]
) -> None:
    """Fill the temporary tables `known_addresses` and `known_domains`, each with the account, for rows of `table`.

    Users are those that are loaded; for accounts and users themselves those of the leading source.
    """
    cursor.execute(read_sql(__file__, "create_known"))
    cursor.execute("insert into known_free_mail select unnest(%s::text[])", (list(free_mail_domains()),))
    (users, *_) = [*installed.get("users", ()), None]
    cursor.execute("select to_regclass('raw.users') is not null")
    is_loaded = cursor.fetchone() == (True,)
    if table in LED and users and {"email", "account_id", "user_id"} <= set(users.columns):
        select = f"select email::text, account_id::text, user_id::text from {users.relation} where email is not null"
        with users.read_in_words():
            copy_rows(warehouse, select, {}, cursor, "known_people")
    elif table not in LED and is_loaded:
        cursor.execute("insert into known_people select email, account_id, user_id from raw.users where email <> ''")
    for view in installed.get("accounts", ()):
        if DOMAIN in types_of(cursor, view.relation):
            select = f"select {DOMAIN}::text, account_id::text from {view.relation} where account_id is not null"
            with view.read_in_words():
                copy_rows(warehouse, f"{select} and {DOMAIN} is not null", {}, cursor, "known_companies")
    cursor.execute(read_sql(__file__, "know"))


def find_accounts(cursor: Cursor, relation: str) -> None:
    """Fill the temporary table `found`: of each row of `relation` without an account (by its ctid) the account, or why
    there is none. `relation` has the columns account_id, _email and _domain.
    """
    cursor.execute(read_sql(__file__, "find", relation=relation))


def forget_who_is_known(cursor: Cursor) -> None:
    """Drop the temporary tables, all but `found`."""
    cursor.execute(
        "drop table known_people, known_companies, known_free_mail, known_users, known_addresses, known_domains"
    )
