"""Whether a play helps: intervals hold the truth as often as they say, and little data says nothing."""

from datetime import timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cs_pipeline.backtest.measures import Interval, TooLittle
from cs_pipeline.backtest.uplift import (
    FEWEST,
    decided_accounts,
    difference_of_means,
    difference_of_shares,
    uplifts,
)
from cs_pipeline.cli import app
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.orchestration.assets.uplift import EffectConfig, effects_of_plays
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.enrolment.holdout import held_out
from cs_pipeline.reports.backtest.effects import uplift_table
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY, Company, save_play

TRIALS = 2_000
NOMINAL, SLACK = 0.95, 0.02  # of 2,000 trials, chance moves the rate by 0.005


def holds(found: Interval | TooLittle, truth: float) -> bool:
    assert isinstance(found, Interval)
    return found.low <= truth <= found.high


@pytest.mark.parametrize(
    ("enrolled", "held_out_too", "share", "other"),
    [(400, 100, 0.10, 0.20), (2_000, 300, 0.90, 0.85), (40, 40, 0.5, 0.5), (60, 30, 0.03, 0.10)],
)
def test_the_interval_of_shares_holds_the_planted_truth_as_often_as_it_says(
    enrolled: int, held_out_too: int, share: float, other: float
) -> None:
    random = np.random.default_rng(7)
    drawn = zip(random.binomial(enrolled, share, TRIALS), random.binomial(held_out_too, other, TRIALS), strict=True)
    hits = [
        holds(difference_of_shares(int(one), enrolled, int(two), held_out_too), share - other) for one, two in drawn
    ]
    assert NOMINAL - SLACK <= np.mean(hits) <= NOMINAL + SLACK + 0.01  # Newcombe's is a little careful


@pytest.mark.parametrize(("enrolled", "held_out_too", "spread"), [(300, 60, 5.0), (30, 30, 20.0), (1_000, 40, 1.0)])
def test_the_interval_of_means_holds_the_planted_truth_as_often_as_it_says(
    enrolled: int, held_out_too: int, spread: float
) -> None:
    random = np.random.default_rng(11)
    hits = [
        holds(difference_of_means(random.normal(4, spread, enrolled), random.normal(1, 10, held_out_too)), 3)
        for _ in range(TRIALS)
    ]
    assert NOMINAL - SLACK <= np.mean(hits) <= NOMINAL + SLACK


@given(st.integers(FEWEST, 5_000), st.integers(FEWEST, 5_000), st.floats(0, 1), st.floats(0, 1))
def test_a_difference_of_shares_lies_in_its_interval_and_within_one(
    total: int, other_total: int, share: float, other: float
) -> None:
    found = difference_of_shares(round(total * share), total, round(other_total * other), other_total)
    assert isinstance(found, Interval)
    assert -1 - 1e-9 <= found.low <= found.value <= found.high <= 1 + 1e-9


def accounts(count: int, held: int, *, left: int, left_held: int, playbook: str = "save") -> pd.DataFrame:
    """`count` enrolled accounts of which `left` left, and `held` that were held out, of which `left_held` did."""
    is_held = np.arange(count + held) >= count
    has_left = np.concatenate([np.arange(count) < left, np.arange(held) < left_held])
    scores = np.random.default_rng(3).normal(0, 5, count + held)
    columns = {"is_held_out": is_held, "has_renewed": None, "has_left": has_left, "score_change": scores}
    return pd.DataFrame(columns, dtype="object").assign(playbook=playbook)


def verdicts(found: pd.DataFrame) -> dict[str, str]:
    return {effect.measure.name: effect.verdict for effect in uplifts(found)}


@pytest.mark.requirement("S3-82")
def test_a_verdict_needs_accounts_and_a_difference() -> None:
    assert verdicts(accounts(500, 100, left=25, left_held=25)) == {
        "renewed": "too small to tell",
        "left within 90 days": "helps",
        "score after 8 weeks": "no difference shown",
    }
    assert verdicts(accounts(500, 100, left=200, left_held=10))["left within 90 days"] == "harms"
    assert verdicts(accounts(500, 100, left=50, left_held=11))["left within 90 days"] == "no difference shown"
    assert verdicts(accounts(500, FEWEST - 1, left=0, left_held=29))["left within 90 days"] == "too small to tell"


def test_the_table_says_how_many_and_why_not() -> None:
    shown = uplift_table(uplifts(accounts(500, 10, left=25, left_held=5)))
    row = shown[shown["measure"] == "left within 90 days"].iloc[0]
    assert (row["enrolled"], row["held_out"]) == ("5.0 % of 500", "50.0 % of 10")
    assert "10 held-out accounts are known, and 30 are needed" in row["difference"]


@pytest.fixture
def company(warehouse: Warehouse) -> Company:
    """As in the plays' tests, with every metric in the marts."""
    company = Company(warehouse)
    columns = ", ".join(f"add column if not exists {name} double precision" for name in METRICS)
    company.run(f"alter table marts.fct_account_weeks {columns}")
    return company


def test_outcomes_are_read_for_everybody_who_was_drawn(company: Company, settings: Settings) -> None:
    play = save_play(hold_out=0.5)
    names = company.accounts(12)
    is_held_out = held_out(play, pd.Series(names))
    enrol(company.warehouse, play, [company.fall(account) for account in names], settings, MONDAY)
    company.run("update marts.dim_accounts set churned_at = %s where account_id = 'a0'", MONDAY + timedelta(days=30))
    company.run("update marts.dim_accounts set churned_at = %s where account_id = 'a1'", MONDAY + timedelta(days=91))
    today = MONDAY.date()
    company.term("s2", "a2", today + timedelta(days=20), successor_started_on=today + timedelta(days=20))
    company.term("s3", "a3", today + timedelta(days=20), renewal_type="manual")
    company.term("s5", "a5", today + timedelta(days=20), renewal_type="auto")
    company.term("s6", "a6", today + timedelta(days=20), renewal_type="auto", ended_on=today + timedelta(days=20))
    company.term("s0", "a0", today + timedelta(days=31), renewal_type="auto")
    company.term("s4", "a4", today + timedelta(days=99))
    for account in ("a5", "a0"):
        company.score(account, 0, today + timedelta(days=49))
    found = decided_accounts(company.warehouse, "yellow", MONDAY + timedelta(days=95)).set_index("account_id")
    assert found["is_held_out"].to_dict() == dict(zip(names, is_held_out, strict=True))
    assert 0 < found["is_held_out"].sum() < 12
    assert found["has_left"].to_dict() == {account: account == "a0" for account in names}
    assert found["has_renewed"].dropna().to_dict() == {
        "a0": False,
        "a2": True,
        "a3": False,
        "a5": True,
        "a6": False,
    }
    assert found["score_change"].dropna().to_dict() == {"a0": 30.0, "a5": 30.0}
    too_soon = decided_accounts(company.warehouse, None, MONDAY + timedelta(days=50))
    assert too_soon[["has_left", "score_change"]].isna().all().all()


def test_the_command_says_what_there_is_to_say(
    company: Company, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(settings.home))
    monkeypatch.setenv("CS_PIPELINE_NOW", (MONDAY + timedelta(days=100)).isoformat())

    def run(*arguments: str) -> str:
        return " ".join(CliRunner().invoke(app, ["play", "uplift", *arguments], catch_exceptions=False).output.split())

    assert "No account was enrolled or held out yet" in run()
    company.account("acme", severity=1)
    enrol(company.warehouse, save_play(), [company.fall("acme")], settings, MONDAY)
    assert "too small to tell" in run()
    assert "set `hold_out` in a playbook" in run()
    with pytest.raises(UserError, match="There is no playbook 'no_such'"):
        run("no_such")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Messages are captured below the test's folder."""
    return Settings(home=tmp_path / "home")


def test_the_asset_says_so_when_nobody_was_decided_on(company: Company, settings: Settings) -> None:
    resources = {"warehouse": company.warehouse, "settings": settings, "clock": Clock(MONDAY)}
    result = effects_of_plays(EffectConfig(), **resources)  # pyright: ignore[reportArgumentType]
    assert isinstance(result, dg.MaterializeResult)
    assert result.metadata is not None
    assert "No account was enrolled or held out yet" in str(result.metadata["verdicts"])
    assert "differences" not in result.metadata
    with pytest.raises(UserError, match="There is no playbook 'no_such'"):
        effects_of_plays(EffectConfig(playbook="no_such"), **resources)  # pyright: ignore[reportArgumentType]
