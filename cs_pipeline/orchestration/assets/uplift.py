"""The uplift of plays as an asset: accounts enrolled against those held out. No part of the weekly job."""

import dagster as dg
from pydantic import Field

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.keys import CUSTOMER_SUCCESS, ENROLMENTS, PLAY_EFFECTS, PLAYS_GROUP, SUBSCRIPTION_TERMS
from cs_pipeline.orchestration.metadata import picture, table
from cs_pipeline.plays.playbooks.reading import load_playbooks, playbook_named
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


class EffectConfig(dg.Config):
    """What the launchpad asks; as it stands, every playbook that enrolled or held out an account."""

    playbook: str = Field(default="", description="Name of a playbook; empty: all of them.")


@dg.asset(
    key=PLAY_EFFECTS,
    deps=[ENROLMENTS, SUBSCRIPTION_TERMS],
    group_name=PLAYS_GROUP,
    owners=[CUSTOMER_SUCCESS],
    kinds={"python"},
    description=(
        "Whether plays help: accounts enrolled against those held out, on goals of steps, renewal, departures within "
        "90 days and score, and variants of steps against each other, with 95 % intervals, or that it is too small to "
        "tell. Launch it by hand. See docs/playbooks.md."
    ),
)
def effects_of_plays(
    config: EffectConfig,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult:
    """Compare, and show what came of it."""
    # scikit-learn, which the intervals come with, takes a second to import; the code location should not cost that.
    from cs_pipeline.backtest.trials import trials, with_goals
    from cs_pipeline.backtest.uplift import decided_accounts, uplifts
    from cs_pipeline.reports.backtest.charts import uplift_differences
    from cs_pipeline.reports.backtest.effects import trial_table, uplift_table
    from cs_pipeline.reports.charts import as_png

    library = load_playbooks(settings.config)
    if config.playbook:
        playbook_named(config.playbook, library)
    decided = decided_accounts(warehouse, config.playbook or None, clock.now())
    accounts, goals = with_goals(warehouse, decided, library, clock.now())
    found, tried = uplifts(accounts, goals), trials(warehouse, accounts, goals, library)
    chart = uplift_differences(found)
    return dg.MaterializeResult(
        metadata={
            "accounts": len(accounts),
            "held_out": int(accounts["is_held_out"].sum()),
            "verdicts": dg.MetadataValue.md(
                "\n".join(f"- **{each.playbook}**, {each.measure.name}: {each.verdict}" for each in found)
                or "_No account was enrolled or held out yet._"
            ),
            "uplift": table(uplift_table(found)),
            **({"variants": table(trial_table(tried))} if tried else {}),
            **({} if chart is None else {"differences": picture(as_png(chart), "What plays did")}),
        }
    )
