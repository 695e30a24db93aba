"""The tables that plays write, as assets to look at: jobs write them, and tell what they wrote."""

import dagster as dg

from cs_pipeline.orchestration.keys import (
    ACTIONS,
    CAPTURED_MESSAGES,
    CUSTOMER_SUCCESS,
    ENROLMENTS,
    PLAYS_GROUP,
    SUPPRESSIONS,
    TASK_STATUS,
    TRIGGERS,
)
from cs_pipeline.orchestration.metadata import table_name


def _table_of_plays(
    key: dg.AssetKey, *, deps: list[dg.AssetKey], description: str, kinds: frozenset[str] = frozenset()
) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=deps,
        group_name=PLAYS_GROUP,
        owners=[CUSTOMER_SUCCESS],
        kinds={"postgres", *kinds},
        metadata=table_name(key),
        description=description,
    )


PLAY_ASSETS = [
    _table_of_plays(
        ENROLMENTS,
        deps=[TRIGGERS],
        description=(
            "One row per playbook and trigger: the account was enrolled, or refused with the reason. "
            "Written by the job run_playbooks."
        ),
    ),
    _table_of_plays(
        ACTIONS,
        deps=[ENROLMENTS],
        description=(
            "The outbox: one row per step of a play, with its state from planned to sent, or why it was not taken. "
            "The only door to the outside."
        ),
    ),
    _table_of_plays(
        CAPTURED_MESSAGES,
        deps=[ACTIONS],
        kinds=frozenset({"html"}),
        description="Messages that were captured instead of sent, as their reader would see them.",
    ),
    _table_of_plays(
        TASK_STATUS,
        deps=[ACTIONS],
        description=(
            "One row per CRM task or opportunity that a play created: open, completed or removed, whose, as of when. "
            "Read back from a connected CRM by the job read_crm_status; else as people say: `cs-pipeline task done`."
        ),
    ),
    _table_of_plays(
        SUPPRESSIONS,
        deps=[ACTIONS],
        description=(
            "Addresses that get no mail: who unsubscribed, bounced or reported spam, by SendGrid's lists, and whom "
            "people of ours put there. Written once a day by the job daily_plays, with what was not taken lately and "
            "why."
        ),
    ),
]
