"""The tables that plays write, as assets to look at. The jobs that write them are in `plays`."""

import dagster as dg

GROUP = "plays"
OWNERS = ["team:customer-success"]
TRIGGERS = dg.AssetKey(["cs", "triggers"])
ENROLMENTS = dg.AssetKey(["cs", "enrolments"])
ACTIONS = dg.AssetKey(["cs", "actions"])
MESSAGES = dg.AssetKey(["cs", "captured_messages"])

PLAY_ASSETS = [
    dg.AssetSpec(
        ENROLMENTS,
        deps=[TRIGGERS],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"postgres"},
        description=(
            "One row per playbook and trigger: the account was enrolled, or refused with the reason. "
            "Written by the job run_playbooks."
        ),
    ),
    dg.AssetSpec(
        ACTIONS,
        deps=[ENROLMENTS],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"postgres"},
        description=(
            "The outbox: one row per step of a play, with its state from planned to sent, or why it was not taken. "
            "The only door to the outside."
        ),
    ),
    dg.AssetSpec(
        MESSAGES,
        deps=[ACTIONS],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"postgres", "html"},
        description="Messages that were captured instead of sent, as their reader would see them.",
    ),
]
