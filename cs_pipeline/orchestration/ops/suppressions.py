"""Op that takes over who gets no mail from SendGrid's lists, and tells what was not sent for it."""

import dagster as dg

from cs_pipeline.channels.sendgrid_suppressions import read_suppressions
from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.keys import SUPPRESSIONS
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.plays.outbox.suppression_list import add
from cs_pipeline.plays.reasons import meaning
from cs_pipeline.reports.plays.queries import suppressed_actions, suppressed_addresses
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

LATELY_DAYS = 28


@dg.op(out=dg.Out(dg.Nothing), description="Take over from SendGrid who unsubscribed, bounced or reported spam.")
def sync_suppressions(
    context: dg.OpExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> None:
    """Nothing is asked of SendGrid while nothing is sent through it."""
    words = "messages are captured, so SendGrid knows of nobody"
    if settings.delivery != "capture" and settings.sendgrid_api_key is not None:
        found = read_suppressions(
            settings.sendgrid_api_key, settings.sendgrid_host, unsubscribe_group=settings.sendgrid_unsubscribe_group
        )
        with warehouse.session() as session:
            added = add(session, found)
        words = f"{len(found)} addresses on SendGrid's lists, {added} of them new"
    context.log.info(words)
    with warehouse.session() as session:
        addresses = suppressed_addresses(session)
        actions = suppressed_actions(session, clock.now(), LATELY_DAYS)
    context.log_event(
        dg.AssetMaterialization(
            SUPPRESSIONS,
            description=words,
            metadata={
                "addresses": int(addresses["addresses"].sum()),
                "addresses_by_reason": table(addresses),
                f"not_taken_in_{LATELY_DAYS}_days": table(
                    actions.assign(meaning=[meaning(reason) for reason in actions["reason"]])
                ),
            },
        )
    )
