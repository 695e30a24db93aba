"""Keep playbooks as they were when somebody was enrolled: an enrolment keeps to the version that it began with."""

from collections.abc import Iterable

from psycopg2.extensions import connection as Session

from cs_pipeline.plays.playbooks.schema import Playbook

Version = tuple[str, str]
"""Name and version of a playbook."""


def remember(session: Session, playbook: Playbook) -> None:
    """Keep this version; it is known for ever after."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.playbooks (playbook, playbook_version, definition)
            values (%s, %s, %s::jsonb)
            on conflict do nothing
            """,
            [playbook.playbook, playbook.version, playbook.definition],
        )


def recall(session: Session, versions: Iterable[Version]) -> dict[Version, Playbook]:
    """The playbooks of `versions`, each of which was remembered."""
    asked = sorted(set(versions))
    with session.cursor() as cursor:
        cursor.execute(
            """
            select playbook, playbook_version, definition
            from cs.playbooks
            inner join unnest(%s::text[], %s::text[]) as asked (playbook, playbook_version)
                using (playbook, playbook_version)
            """,
            [[name for name, _ in asked], [version for _, version in asked]],
        )
        return {(name, version): Playbook.model_validate(found) for name, version, found in cursor.fetchall()}
