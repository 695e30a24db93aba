"""Open triggers: the asset between what was found out and what is done about it.

It runs after the checks of the scores, so scores that cannot be right start no play.
"""

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.assets.weekly import origin_of, weekly_asset
from cs_pipeline.orchestration.keys import CUSTOMER_SUCCESS, PLAYS_GROUP, RENEWAL_WINDOWS, SCORE_CHANGES, TRIGGERS
from cs_pipeline.orchestration.partitions import weeks_of
from cs_pipeline.plays.triggers.kinds import open_week
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


def build_triggers(weeks: dg.WeeklyPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset `cs/triggers`."""

    @weekly_asset(
        TRIGGERS,
        weeks,
        deps=[SCORE_CHANGES, RENEWAL_WINDOWS],
        group=PLAYS_GROUP,
        owners=[CUSTOMER_SUCCESS],
        kinds={"sql", "postgres"},
        description=(
            "Causes that may start a play: changes of severity, renewal windows, entries of segments and conversations "
            "that fell due in the newest week, when the schedule found them. A key is unique for ever; a backfill or "
            "an older week opens none. "
            "Sensors offer them to the playbooks."
        ),
    )
    def triggers(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.MaterializeResult:
        origin = origin_of(context)
        opened: dict[str, int] = {}
        if origin == "live":
            opened = open_week(warehouse, weeks_of(context)[-1], settings, clock.now())
        return dg.MaterializeResult(
            metadata={"origin": origin, "triggers": sum(opened.values()), "by_kind": dict(opened)}
        )

    return triggers
