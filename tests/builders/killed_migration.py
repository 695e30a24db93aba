"""A migration by the command that is killed in its middle: it hangs once a table is there, and its process dies."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta

from cs_pipeline.warehouse.connection import Warehouse
from tests.waiting import wait_until

MIGRATE = (sys.executable, "-m", "cs_pipeline.cli", "warehouse", "migrate")
HANGS = """
create function hang() returns event_trigger language plpgsql as $$
begin
    if current_setting('application_name') = 'killed' and to_regclass('{table}') is not null then
        perform pg_sleep(30);
    end if;
end
$$;
create event trigger hang on ddl_command_end execute function hang()
"""
HANGING = """
select pid from pg_stat_activity
where datname = current_database() and application_name = 'killed' and wait_event = 'PgSleep'
"""


def kill_a_migration(warehouse: Warehouse, table: str, environment: Mapping[str, str]) -> None:
    """Run the command until it has made `table`, and kill it; the server has taken its transaction back afterwards."""

    def asked(sql: str) -> list[tuple]:
        with warehouse.session() as session, session.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    asked(HANGS.format(table=table))
    killed = {**environment, "CS_PIPELINE_DATABASE_URL": f"{warehouse.url}?application_name=killed"}
    process = subprocess.Popen(MIGRATE, env=killed, stdout=subprocess.DEVNULL)
    wait_until(f"a migration that has made {table}", timedelta(minutes=1), lambda: bool(asked(HANGING)))
    process.kill()
    process.wait()
    ((pid,),) = asked(HANGING)
    asked(f"select pg_terminate_backend({pid}, 10000)")
