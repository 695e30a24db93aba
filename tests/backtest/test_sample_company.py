"""On the generated company the backtest finds what was planted, and shows it to people."""

import os
import re
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from typer.testing import CliRunner

from cs_pipeline.backtest.comparison import Backtest, backtest
from cs_pipeline.backtest.design import CLOCKS, BeforeRenewals, Design
from cs_pipeline.backtest.measures import Separation, separates, single_auc
from cs_pipeline.backtest.observations import metrics_of, weeks_of_marts
from cs_pipeline.cli import app
from cs_pipeline.errors import UserError
from cs_pipeline.health.library import load_score_model
from cs_pipeline.orchestration.keys import BACKTEST, BACKTEST_JOB
from cs_pipeline.warehouse.bulk import query
from tests.builders.sample_history import History

pytestmark = [pytest.mark.xdist_group("sample_company"), pytest.mark.slow(seconds=6)]

FALLING_USE = {"usage_growth", "minutes_7d", "logins_7d", "active_users_7d", "events_7d"}
PLANTED = {
    "disengagement": FALLING_USE,
    "champion_left": FALLING_USE,
    "support_pain": {"worst_open_ticket", "open_tickets", "tickets_30d"},
    "no_onboarding": {"onboarding_steps_completed"},
    "bad_fit": {"seat_utilisation"},
    "price": {"overdue_invoices", "overdue_amount"},
}
SOME = 10  # departures for a cause, below which its best metric may be another by luck


@pytest.fixture(scope="module")
def found(larger_history: History) -> Backtest:
    design = Design(*weeks_of_marts(larger_history.warehouse), BeforeRenewals(4))
    return backtest(larger_history.warehouse, [load_score_model("weekly_points")], design)


def test_weekly_points_separates_those_who_leave_four_weeks_before(found: Backtest) -> None:
    (result,) = found.models
    assert isinstance(result.whole, Separation)
    assert result.whole.auc.low > 0.55
    assert result.whole.lift > 1.5
    assert all(isinstance(each.separation, Separation) for each in result.baselines.values())


def test_the_planted_causes_are_the_metrics_that_separate_best(found: Backtest, larger_history: History) -> None:
    truth = query(larger_history.warehouse, "select account_id, cause from demo_truth.accounts_truth")
    rows = found.observations
    cause = rows["account_id"].map(truth.set_index("account_id")["cause"])
    names = [name for name in metrics_of(rows) if name not in CLOCKS and rows[name].notna().mean() > 0.5]
    separated, best = {}, {}
    for planted in PLANTED:
        chosen = rows[(cause == planted) & rows["departs"] | (cause.isna() & ~rows["departs"])]
        outcome = chosen["departs"].to_numpy(bool)
        separated[planted] = {name: separates(single_auc(outcome, chosen[name].to_numpy(float))) for name in names}
        if outcome.sum() >= SOME:
            best[planted] = max(names, key=separated[planted].__getitem__)
    assert len(best) >= 3
    assert {planted: name for planted, name in best.items() if name not in PLANTED[planted]} == {}
    for planted in ("support_pain", "price"):  # what shows in nothing else: tickets, and invoices
        own = max(PLANTED[planted], key=separated[planted].__getitem__)
        assert separated[planted][own] > max(0.7, *(separated[other][own] for other in PLANTED if other != planted))


def test_the_asset_shows_verdict_tables_and_charts_and_writes_the_page(larger_history: History) -> None:
    with larger_history.runtime() as runtime:
        result = runtime.launcher.run(BACKTEST_JOB)
        (event,) = result.get_asset_materialization_events()
        assert event.asset_key == BACKTEST
        metadata = event.materialization.metadata
        page = Path(str(metadata["page"].value))
    assert "weekly_points" in str(metadata["verdicts"].value)
    for name in ("models", "beside_baselines", "warning"):
        assert isinstance(metadata[name], dg.TableMetadataValue), name
    for name in ("separation", "beside_baselines_chart", "single_metrics"):
        assert "data:image/png;base64," in str(metadata[name].value), name
    assert page == larger_history.home.absolute() / "backtest.html"
    assert page.exists()


def test_the_command_prints_verdicts_and_writes_a_page_that_needs_nothing_else(
    larger_history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", larger_history.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(tmp_path))
    page = tmp_path / "page.html"
    arguments = ["model", "backtest", "weekly_points", "--every", "2", "--within", "30", "--output", str(page)]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    html = page.read_text()
    assert "<svg" in html
    assert "those who leave from those who stay" in html
    assert not re.search(r"(src|href)=\"(?!#)", html)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="--output needs one that exists"):
        CliRunner().invoke(app, ["model", "backtest", "--output", "nowhere/page.html"], catch_exceptions=False)
    assert "CS_PIPELINE_DATABASE_URL" in os.environ


def test_the_weekly_job_leaves_the_backtest_out(larger_history: History) -> None:
    with larger_history.runtime() as runtime:
        weekly = runtime.launcher.definitions.resolve_job_def("weekly_health")
        assert BACKTEST not in weekly.asset_layer.executable_asset_keys


def test_every_observation_is_of_a_customer_and_of_a_known_outcome(found: Backtest, larger_history: History) -> None:
    rows = found.observations
    truth = query(larger_history.warehouse, "select account_id, churned_on from demo_truth.accounts_truth")
    left = truth.set_index("account_id")["churned_on"]
    departs_on = rows["account_id"].map(left)
    departs = rows["departs"].to_numpy(bool)
    assert departs_on[departs].notna().all()
    days = (departs_on[departs].astype("datetime64[ns]") - rows.loc[departs, "observed_on"]).dt.days
    assert days.between(28, 34).all()
    assert np.unique(rows.loc[departs, "account_id"]).size == departs.sum()
