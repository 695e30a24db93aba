"""Checks: what stops plays, and what is only worth a warning."""

from datetime import date

import dagster as dg
import pytest

from cs_pipeline.history.changes import ChangeSummary
from cs_pipeline.history.weeks import Origin
from cs_pipeline.orchestration.asset_checks.health import change_results


@pytest.mark.parametrize(
    ("compared", "changed_band", "passed"), [(100, 40, True), (100, 41, False), (29, 29, True), (0, 0, True)]
)
def test_more_than_two_in_five_accounts_changing_band_is_implausible(
    compared: int, changed_band: int, passed: bool
) -> None:
    (result,) = change_results([ChangeSummary(date(2026, 1, 5), compared=compared, changed_band=changed_band)], "live")
    assert result.passed is passed


@pytest.mark.parametrize(("origin", "severity"), [("live", "ERROR"), ("backfill", "WARN")])
def test_an_odd_week_stops_plays_and_is_a_warning_in_history(origin: Origin, severity: str) -> None:
    (result,) = change_results([ChangeSummary(date(2026, 1, 5), compared=100, changed_band=90)], origin)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity[severity]
