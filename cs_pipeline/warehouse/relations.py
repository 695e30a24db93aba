"""Say which tables and views a database has. Whether they have the right columns belongs to who reads them."""

from collections.abc import Sequence

from psycopg2.extensions import connection as Session


def missing_relations(session: Session, *names: str) -> Sequence[str]:
    """Those of `names` (schema.table) that are not there, in their order."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select name
            from unnest(%s::text[]) with ordinality as asked (name, position)
            where to_regclass(name) is null
            order by position
            """,
            [list(names)],
        )
        return [name for (name,) in cursor.fetchall()]
