"""Functions of `cs` that read spread tables: a Citus plans none that is written in SQL, and one in PL/pgSQL it does.

On one server they stay in SQL, as the migrations make them, so that PostgreSQL merges them into the statement that
asks. When a table comes back its functions are gone with the table that it was: they are made again.
"""

from psycopg2.extensions import cursor as Cursor

_SCORES = """
create or replace function cs.scores_of(asked_model text, asked_version text) returns setof cs.health_scores
language {language} stable as $$
"""
_COMMENT = """
comment on function cs.scores_of is
'The scores of one version of one model, whether they count or not. An error for a version that never scored.'
"""

_ON_ONE_SERVER = """    select health_scores.*
    from cs.health_scores
    where
        cs.require_version(asked_model, asked_version)
        and health_scores.model = asked_model
        and health_scores.model_version = asked_version
"""

_SPREAD = """begin
    perform cs.require_version(asked_model, asked_version);
    return query select health_scores.*
    from cs.health_scores
    where
        health_scores.model = asked_model
        and health_scores.model_version = asked_version;
end
"""


def make_functions(cursor: Cursor, *, is_spread: bool) -> None:
    """Make them as they have to be where their tables are spread, or on one server."""
    language, body = ("plpgsql", _SPREAD) if is_spread else ("sql", _ON_ONE_SERVER)
    cursor.execute(f"{_SCORES.format(language=language)}{body}$$")
    cursor.execute(_COMMENT)
