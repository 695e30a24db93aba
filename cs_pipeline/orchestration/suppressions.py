"""Who gets no mail, and what was not taken and why: an asset, and the op that takes SendGrid's lists over."""

import dagster as dg

from cs_pipeline.channels.sendgrid_suppressions import read_suppressions
from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.orchestration.play_assets import ACTIONS, GROUP, OWNERS
from cs_pipeline.plays.outbox.suppression_list import add
from cs_pipeline.plays.reasons import meaning
from cs_pipeline.reports.plays.status import suppressed_actions, suppressed_addresses
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

SUPPRESSIONS = dg.AssetKey(["cs", "suppressions"])
LATELY_DAYS = 28

SUPPRESSION_ASSETS = [
    dg.AssetSpec(
        SUPPRESSIONS,
        deps=[ACTIONS],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"postgres"},
        description=(
            "Addresses that get no mail: who unsubscribed, bounced or reported spam, by SendGrid's lists, and whom "
            "people of ours put there. Written once a day by the job daily_plays, with what was not taken lately and "
            "why."
        ),
    )
]


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
