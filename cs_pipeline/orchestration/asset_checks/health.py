"""Check scores and score changes, and stop the run before plays start from scores that cannot be right.

Each is a decision on the summaries of the weeks; nothing is read twice. A week of history may be as odd as it was: in a
backfill, which starts no play, odd scores are a warning, and only missing rows stop the run.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from cs_pipeline.history.changes import ChangeSummary
from cs_pipeline.history.holes import holes
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.week_summary import WeekSummary
from cs_pipeline.history.weeks import Origin
from cs_pipeline.orchestration.keys import HEALTH_SCORES, SCORE_CHANGES
from cs_pipeline.reports.scores.queries import accounts_by_week
from cs_pipeline.reports.scores.text import weeks_in_words
from cs_pipeline.warehouse.connection import Warehouse

LEAST_COVERAGE = 0.5
"""Mean coverage of a week below which its scores say more about the data than about the accounts."""
MOST_BAND_CHANGES = 0.4
"""Share of accounts changing band in one week above which a source is more likely broken than the customers."""
FEWEST_COMPARED = 30
"""With fewer accounts than this, a share means nothing."""

SCORE_CHECKS = [
    dg.AssetCheckSpec(
        "every_active_account_has_a_row",
        asset=HEALTH_SCORES,
        blocking=True,
        description="As many rows as the mart has accounts, in every week.",
    ),
    dg.AssetCheckSpec(
        "coverage_is_sufficient",
        asset=HEALTH_SCORES,
        blocking=True,
        description=f"The mean coverage of each week is at least {LEAST_COVERAGE:.0%}.",
    ),
    dg.AssetCheckSpec(
        "no_week_is_missing",
        asset=HEALTH_SCORES,
        description="Every week between the first and the newest scored one has scores. Holes are named.",
    ),
]
CHANGE_CHECKS = [
    dg.AssetCheckSpec(
        "share_changing_band_is_plausible",
        asset=SCORE_CHANGES,
        blocking=True,
        description=f"No more than {MOST_BAND_CHANGES:.0%} of the accounts change band within a week.",
    )
]


def score_results(
    warehouse: Warehouse, done: Sequence[WeekSummary], scope: Scope, origin: Origin
) -> list[dg.AssetCheckResult]:
    """Results of SCORE_CHECKS."""
    expected = accounts_by_week(warehouse, done[0].week, done[-1].week, scope)
    short = {f"{week.week}": expected.get(week.week, 0) - week.active.accounts for week in done}
    short = {week: missing for week, missing in short.items() if missing}
    thin = {
        f"{week.week}": round(week.active.coverage, 3)
        for week in done
        if week.active.coverage is not None and week.active.coverage < LEAST_COVERAGE
    }
    with warehouse.session() as session:
        missing = holes(session, done[-1].week)
    return [
        _result(SCORE_CHECKS[0], "live", passed=not short, metadata={"missing_rows_by_week": short}),
        _result(
            SCORE_CHECKS[1],
            origin,
            passed=not thin,
            metadata={"thin_weeks": thin, "at_least": LEAST_COVERAGE},
            description=_what_is_missing(done[-1]) if thin else None,
        ),
        _result(
            SCORE_CHECKS[2],
            "backfill",  # it stops nothing: the schedule asks for what it can
            passed=not missing,
            metadata={"missing_weeks": [str(week) for week in missing]},
            description=(
                f"Never scored: {weeks_in_words(missing)}. `cs-pipeline backfill` scores them" if missing else None
            ),
        ),
    ]


def change_results(done: Sequence[ChangeSummary], origin: Origin) -> list[dg.AssetCheckResult]:
    """Results of CHANGE_CHECKS."""
    shares = {
        f"{week.week}": round(week.changed_band / week.compared, 3) for week in done if week.compared >= FEWEST_COMPARED
    }
    wild = {week: share for week, share in shares.items() if share > MOST_BAND_CHANGES}
    return [_result(CHANGE_CHECKS[0], origin, passed=not wild, metadata={"weeks": wild, "at_most": MOST_BAND_CHANGES})]


def _what_is_missing(week: WeekSummary) -> str:
    """For whoever must do something about thin coverage: the metrics that no account has, and what helps."""
    unknown = ", ".join(metric for metric, accounts in week.active.known.items() if not accounts) or "none"
    return (
        f"In the week of {week.week}, {week.active.coverage or 0:.0%} of the score is known. "
        f"Known of no account: {unknown}. "
        "Bring the tables they need (docs/bring-your-data.md), or choose a score model over what there is "
        "(docs/scores.md)"
    )


def _result(
    spec: dg.AssetCheckSpec,
    origin: Origin,
    *,
    passed: bool,
    metadata: Mapping[str, Any],
    description: str | None = None,
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=spec.name,
        asset_key=spec.asset_key,
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR if origin == "live" else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
        description=description,
    )
