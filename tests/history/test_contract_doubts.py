"""Contracts that contradict their account or themselves are named, and sound ones are not."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from cs_pipeline.cli.doctor.examine import examine
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.history.contract_doubts import FEWEST_TERMS, contract_doubts
from cs_pipeline.orchestration.asset_checks.contracts import contracts_are_beyond_doubt
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import add_term

NOW = datetime(2025, 4, 7, 7, tzinfo=UTC)
TODAY = NOW.date()
STARTED = date(2024, 9, 1)


def named(warehouse: Warehouse) -> list[tuple[str, str | None]]:
    doubts = contract_doubts(warehouse, NOW)
    return list(zip(doubts["doubt"], doubts["subscription_id"], strict=True))


def test_an_account_that_has_left_and_pays_is_named(marts: Warehouse) -> None:
    add_term(marts, "back again", started_on=STARTED, renews_on=date(2025, 9, 1), churned_at="2024-06-01 00:00Z")
    add_term(marts, "leaves later", started_on=STARTED, renews_on=date(2025, 9, 1), churned_at="2025-06-01 00:00Z")
    add_term(marts, "has ended", started_on=STARTED, renews_on=None, ended_on=TODAY, churned_at="2024-06-01 00:00Z")
    add_term(marts, "trial", started_on=STARTED, renews_on=None, is_trial=True, churned_at="2024-06-01 00:00Z")
    assert named(marts) == [("left_and_pays", "back again")]
    words = contract_doubts(marts, NOW)["words"].tolist()
    assert words == ["left on 2024-06-01, and pays 100 a month since 2024-09-01"]


def test_a_renewal_date_that_nobody_moves_is_named(marts: Warehouse) -> None:
    old = TODAY - timedelta(days=90)
    add_term(marts, "stale", started_on=date(2022, 1, 1), renews_on=old)
    add_term(marts, "lately", started_on=date(2022, 1, 1), renews_on=old + timedelta(days=1))
    add_term(marts, "by itself", started_on=date(2022, 1, 1), renews_on=date(2023, 1, 1), renewal_type="auto")
    add_term(marts, "renewed", started_on=date(2022, 1, 1), renews_on=old, successor_started_on=old)
    add_term(marts, "left", started_on=date(2022, 1, 1), renews_on=old, ended_on=TODAY, churned_at="2025-01-01 00:00Z")
    assert named(marts) == [("stale_renewal", "stale")]


@pytest.mark.parametrize(("ending", "is_named"), [(FEWEST_TERMS // 2, False), (FEWEST_TERMS // 2 + 1, True)])
def test_ends_that_are_filled_in_for_most_contracts_are_told(marts: Warehouse, ending: int, is_named: bool) -> None:
    renews_on = date(2025, 9, 1)
    for number in range(FEWEST_TERMS):
        ended_on = renews_on if number < ending else None
        add_term(marts, f"s{number}", started_on=STARTED, renews_on=renews_on, ended_on=ended_on)
    assert named(marts) == ([("ends_everywhere", None)] if is_named else [])


def checked(warehouse: Warehouse) -> dg.AssetCheckResult:
    result = contracts_are_beyond_doubt(warehouse, Clock(NOW))
    assert isinstance(result, dg.AssetCheckResult)
    return result


def test_the_check_warns_and_doctor_names_the_accounts(marts: Warehouse, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=SecretStr(marts.url), now=NOW)
    assert checked(marts).passed
    assert [finding for finding in examine(settings) if finding.subject == "contracts"] == []
    add_term(marts, "back again", started_on=STARTED, renews_on=None, churned_at="2024-06-01 00:00Z")
    result = checked(marts)
    assert not result.passed
    assert result.metadata["by_doubt"] == dg.MetadataValue.json({"left_and_pays": 1})
    (found,) = [finding for finding in examine(settings) if finding.subject == "contracts"]
    assert (found.state, "account-of-back again" in found.words) == ("note", True)


def test_marts_of_an_older_version_are_told(marts: Warehouse) -> None:
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute("alter table marts.fct_subscription_terms drop column held_until")
    with pytest.raises(UserError, match="built by an older version"):
        contract_doubts(marts, NOW)
