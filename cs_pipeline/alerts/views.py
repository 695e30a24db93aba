"""Know whether the views of rules stand as their files say, so that a weekly run need not build them again.

Starting dbt and replacing a hundred views costs more than scoring a week. What a rule finds belongs to `findings`.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from psycopg2.extensions import connection as Session

SCHEMA = "alerts"
_STANDING = """
select
    obj_description(to_regnamespace(%(schema)s)::oid, 'pg_namespace') = %(digest)s
    and not exists (
        select 1
        from unnest(%(views)s::text[]) as wanted (name)
        where to_regclass(format('%%I.%%I', %(schema)s, wanted.name)) is null
    )
    -- A view below that was put aside, because its columns changed, goes once those upon it are built.
    and not exists (
        select 1
        from pg_depend
        inner join pg_rewrite on pg_depend.objid = pg_rewrite.oid
        inner join pg_class as above on pg_rewrite.ev_class = above.oid
        inner join pg_class as below on pg_depend.refobjid = below.oid
        where
            pg_depend.classid = 'pg_rewrite'::regclass
            and pg_depend.refclassid = 'pg_class'::regclass
            and above.relnamespace = to_regnamespace(%(schema)s)
            and below.relname like '%%\\_\\_dbt\\_backup%%'
    )
"""


def views_and_digest(manifest: Mapping[str, Any]) -> tuple[list[str], str]:
    """Names of the views that dbt's manifest has in SCHEMA, and a hash of whatever they are compiled from."""
    nodes = [
        node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["schema"] == SCHEMA
    ]
    parts = {node["name"]: [node["checksum"]["checksum"], node["config"]["contract"]] for node in nodes}
    columns = {node["name"]: node["columns"] for node in nodes}
    macros = {name: macro["macro_sql"] for name, macro in manifest["macros"].items() if "cs_pipeline" in name}
    digest = hashlib.sha256(json.dumps([parts, columns, macros], sort_keys=True, default=str).encode()).hexdigest()
    return sorted(parts), f"Views of alert rules, built from {digest}"


def are_standing(session: Session, views: Collection[str], digest: str) -> bool:
    """Whether the views were built from what `digest` stands for, and all of them are there, upon what is read now."""
    with session.cursor() as cursor:
        cursor.execute(_STANDING, {"schema": SCHEMA, "views": list(views), "digest": digest})
        return cursor.fetchone() == (True,)


def say_built(session: Session, digest: str) -> None:
    """Keep from what the views were built."""
    with session.cursor() as cursor:
        cursor.execute(f"comment on schema {SCHEMA} is %s", [digest])
