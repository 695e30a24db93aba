"""Check whose rows find an account: rates by source, the companies and people not found, domains of several accounts.

It installs the mappings and reads their views, as `cs-pipeline map` would, and writes no row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.mapping import (
    DOMAIN,
    EMAIL,
    InstalledMapping,
    install_mappings,
    installed_mappings,
    types_of,
)
from cs_pipeline.warehouse.mapping_identity import find_accounts, learn_who_is_known
from cs_pipeline.warehouse.mapping_reader import copy_rows

MOST = 20  # unmatched, and shared domains


@dataclass(frozen=True)
class Rate:
    """Of a source's rows how many find their account, and by what."""

    source: str
    rows: int
    by_id: int
    by_address: int
    by_domain: int

    @property
    def not_found(self) -> int:
        """Rows that `map` puts aside."""
        return self.rows - self.by_id - self.by_address - self.by_domain

    @property
    def share(self) -> float:
        """Found, of all; 1 where there is nothing to find."""
        return 1 - self.not_found / self.rows if self.rows else 1.0


@dataclass(frozen=True)
class Unmatched:
    """Rows of one company or person without an account. `money`: what their running contracts bring a year."""

    source: str
    who: str
    rows: int
    money: float
    why: str


@dataclass(frozen=True)
class SharedDomain:
    """A domain by which no account is found, because several have it."""

    domain: str
    accounts: tuple[str, ...]


@dataclass(frozen=True)
class Identities:
    """What a check found."""

    rates: tuple[Rate, ...]
    unmatched: tuple[Unmatched, ...]
    shared_domains: tuple[SharedDomain, ...]


def check_identities(warehouse: Warehouse, folder: Path) -> Identities:
    """Look up every row of the folder's mappings, as `map` would. Raises UserError where no accounts are mapped."""
    install_mappings(warehouse, folder, whole=False)
    with warehouse.session() as session, session.cursor() as cursor:
        installed = installed_mappings(cursor)
        if "accounts" not in installed:
            raise UserError(f"{folder} has no mapping of accounts, so there is nothing that rows could belong to.")
        learn_who_is_known(warehouse, cursor, "accounts", installed)
        cursor.execute(read_sql(__file__, "create_asked"))
        leading = installed["accounts"][0]
        with leading.read_in_words():
            ids = f"select distinct account_id::text from {leading.relation}"
            copy_rows(warehouse, ids, {}, cursor, "known_accounts")
        for views in installed.values():
            for view in views:
                if "account_id" in view.columns and view != leading:
                    with view.read_in_words():
                        copy_rows(warehouse, _asks(cursor, view), {}, cursor, "asked")
        find_accounts(cursor, "asked")
        cursor.execute(read_sql(__file__, "answer"))
        return Identities(_rates(cursor), _unmatched(cursor), _shared_domains(cursor))


def _asks(cursor: Cursor, view: InstalledMapping) -> str:
    """The view's rows by whom they are about; money of contracts that run."""
    types = types_of(cursor, view.relation)
    helpers = [f"{name}::text" if name in types else "null::text" for name in (EMAIL, DOMAIN)]
    money = "0::double precision"
    if view.table == "subscriptions":
        runs = "(ended_on is null or ended_on::text > current_date::text)" if "ended_on" in types else "true"
        number = "mrr::text ~ '^[0-9.]+$'"
        money = f"coalesce(12 * sum(case when {number} and {runs} then mrr::text::double precision end), 0)"
    who = ["account_id::text", *helpers]
    grouped = [name for name in ("account_id", EMAIL, DOMAIN) if name in types]
    name = (view.source or view.table).replace("'", "''")
    return (
        f"select '{name}'::text, {', '.join(who)}, count(*)::bigint, {money} "
        f"from {view.relation} group by {', '.join(grouped)}"
    )


def _rates(cursor: Cursor) -> tuple[Rate, ...]:
    cursor.execute(
        "select source, sum(rows)::bigint, "
        "coalesce(sum(rows) filter (where found_by = 'id'), 0)::bigint, "
        "coalesce(sum(rows) filter (where found_by = 'address'), 0)::bigint, "
        "coalesce(sum(rows) filter (where found_by = 'domain'), 0)::bigint "
        "from answered group by source order by source"
    )
    return tuple(Rate(*row) for row in cursor.fetchall())


_WHY: Mapping[str, str] = {
    "unknown id": "its id is none of our accounts",
    "free mail": "its address is of a provider of free mail",
    "several": "several accounts have its address or domain",
    "nobody": "no account has its address or domain",
    "nothing": "neither id nor address nor domain",
}


def _unmatched(cursor: Cursor) -> tuple[Unmatched, ...]:
    cursor.execute(
        "select source, who, sum(rows)::bigint, sum(money), min(found_by) from answered "
        "where found_by not in ('id', 'address', 'domain') group by source, who "
        "order by sum(money) desc, sum(rows) desc, source, who limit %s",
        (MOST,),
    )
    rows: Sequence[tuple[str, str, int, float, str]] = cursor.fetchall()
    return tuple(Unmatched(source, who, count, money, _WHY[why]) for source, who, count, money, why in rows)


def _shared_domains(cursor: Cursor) -> tuple[SharedDomain, ...]:
    cursor.execute(
        "select domain, of_accounts from known_domains where accounts > 1 order by accounts desc, domain limit %s",
        (MOST,),
    )
    return tuple(SharedDomain(domain, tuple(accounts)) for domain, accounts in cursor.fetchall())
