"""`python -m benchmarks.outbox`: memory of a delivery, with 10,000, 100,000 and 1,000,000 mails due at once.

Each delivers as many, so that memory which grows with what waits is told from memory which grows with what goes out.
The mails are those of made-up accounts, written into the tables by SQL; the provider takes 50 ms.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.processes import answering, run_step
from benchmarks.results import write_section
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import EmbeddedServer
from cs_pipeline.warehouse.migrate import migrate
from tests.builders.company import MONDAY, Company

DUE = (10_000, 100_000, 1_000_000)
DELIVERED = 8_000
NOON = f"{MONDAY:%Y-%m-%dT%H:%M}"
FLEETING = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "8GB"}
LIVE = {
    "DELIVERY": "live", "SENDGRID_API_KEY": "SG.bench", "SLACK_BOT_TOKEN": "xoxb", "BREAKER_SHARE": "1",
    "MAIL_FROM_HOUR": "0", "MAIL_UNTIL_HOUR": "24",
}  # fmt: skip

INDEXES = """
create index on marts.dim_contacts (account_id);
create index on marts.dim_contacts (user_id);
create index on marts.dim_contacts (cs.address_of(email));
create index on marts.fct_subscription_terms (account_id);
create index on staging.stg_email_events (account_id);
create index on staging.stg_touchpoints (account_id);
create index on staging.stg_referrals (account_id)
"""
MORE = """
with new as (
    select 'b' || number as account_id, number %% 1000 || '@ours.example' as owner
    from generate_series(%(first)s::integer, %(last)s) as number
),

accounts as (
    insert into staging.stg_accounts select new.account_id, created_at, null
    from new cross join staging.stg_accounts as model where model.account_id = 'a'
),

known as (
    insert into marts.dim_accounts (
        account_id, account_name, created_at, tier, country, timezone, owner_email, manager_email, is_bad_fit, arr
    )
    select
        new.account_id, new.account_id, created_at, tier, country, timezone, new.owner, manager_email, is_bad_fit, arr
    from new cross join marts.dim_accounts as model where model.account_id = 'a'
),

contacts as (
    insert into marts.dim_contacts (account_id, user_id, email, full_name, role)
    select new.account_id, new.account_id || '-ada', 'ada@' || new.account_id || '.example', full_name, role
    from new cross join marts.dim_contacts as model where model.account_id = 'a'
),

opened as (
    insert into cs.triggers (trigger_key, kind, account_id, subject_id, occurred_at, anchor_on, facts)
    select 'outbox:' || new.account_id, kind, new.account_id, new.account_id, occurred_at, anchor_on, facts
    from new cross join cs.triggers as model where model.account_id = 'a'
    returning trigger_id, account_id
),

entered as (
    insert into cs.enrolments (
        playbook, playbook_version, family, account_id, trigger_id, subject_id, anchor_on, status, enrolled_at
    )
    select
        playbook, playbook_version, family, opened.account_id, opened.trigger_id, opened.account_id, anchor_on,
        'active', enrolled_at
    from opened cross join cs.enrolments as model where model.account_id = 'a'
    returning enrolment_id, account_id
)

insert into cs.actions (
    action_key, enrolment_id, playbook, step, account_id, channel, role, recipient, recipient_user_id, intent, due_at,
    expires_at, status
)
select
    'outbox:' || entered.account_id, entered.enrolment_id, playbook, step, entered.account_id, channel, role,
    'ada@' || entered.account_id || '.example', entered.account_id || '-ada', intent, due_at, expires_at, 'planned'
from entered cross join cs.actions as model where model.account_id = 'a'
"""


def main() -> None:
    """Measure, print, and keep the table in benchmarks/results.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outbox", description=__doc__)
    parser.add_argument("--due", type=int, nargs="+", default=DUE)
    parser.add_argument("--delivered", type=int, default=DELIVERED)
    asked = parser.parse_args()
    rows: list[str] = []
    with tempfile.TemporaryDirectory(prefix="cs_pipeline_bench_", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # as root the server runs as nobody, who must be able to enter
        server = EmbeddedServer(Path(name) / "postgres", FLEETING)
        warehouse = Warehouse(server.start())
        try:
            migrate(warehouse)
            company = Company(warehouse)
            company.run(INDEXES)
            company.account("a")
            with answering() as host:
                settings = {"DATABASE_URL": warehouse.url, "HOME": name, "SENDGRID_HOST": host} | LIVE
                environment = {f"CS_PIPELINE_{setting}": value for setting, value in settings.items()}
                run_step(environment, "fill_outbox", NOON, 1)
                written = 0
                for due in sorted(asked.due):
                    written = fill(company, written, due)
                    printed = run_step(environment, "deliver_outbox", NOON, asked.delivered)
                    rows.append(
                        f"| {due:,} | {printed['rows']:,} | {printed['seconds']:,.0f} | "
                        f"{printed['processor_seconds']:,.0f} | {printed['peak_mb']:,.0f} |"
                    )
                    print(rows[-1], flush=True)
        finally:
            server.stop()
    write_section(
        "Memory of a delivery",
        [
            f"`python -m benchmarks.outbox --delivered {asked.delivered}`: mails of as many accounts, due at once; the "
            "provider takes 50 ms.",
            "Memory and seconds of a processor are those of the delivering process.",
            "",
            "| due | delivered | wall s | processor s | peak MB |",
            "|---:|---:|---:|---:|---:|",
            *rows,
        ],
    )


def fill(company: Company, written: int, due: int) -> int:
    """Write as many mails as it takes until so many are due; returns how many were ever written."""
    ((waiting,),) = company.run("select count(*) from cs.actions where status = 'planned'")
    last = written + due - waiting
    with company.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(MORE, {"first": written + 1, "last": last})
    company.run("vacuum analyze")
    return last


if __name__ == "__main__":
    main()
