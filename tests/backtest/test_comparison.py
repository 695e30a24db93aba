"""Models side by side, the baselines beside them, and the refusal of what only the future knows."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cs_pipeline.backtest.baselines import BASELINES, split_in_time
from cs_pipeline.backtest.comparison import Backtest, backtest
from cs_pipeline.backtest.design import TELLTALE_AUC, BeforeRenewals, Design, EveryWeeks
from cs_pipeline.backtest.measures import Interval, Separation, TooLittle
from cs_pipeline.backtest.observations import read_observations
from cs_pipeline.backtest.single_metrics import refuse_telltales, single_metrics
from cs_pipeline.errors import UserError
from cs_pipeline.health.library import load_score_model
from cs_pipeline.reports.backtest.text import verdict
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import week
from tests.builders.observed_marts import LEAVERS, WEEKS, add_company

MODEL = load_score_model("weekly_points")
FORTNIGHTLY = Design(week(0), week(WEEKS - 1), EveryWeeks(2, 30))


@pytest.fixture
def company(marts: Warehouse) -> Backtest:
    add_company(marts)
    return backtest(marts, [MODEL], FORTNIGHTLY)


def test_a_model_is_judged_beside_references_on_the_same_rows(company: Backtest) -> None:
    (result,) = company.models
    assert isinstance(result.whole, Separation)
    assert isinstance(result.later, Separation)
    assert result.whole.auc.low > 0.5
    assert result.whole.departures == company.departures <= LEAVERS
    assert list(result.baselines) == list(BASELINES)
    for baseline in result.baselines.values():
        assert isinstance(baseline.separation, Separation)
        assert isinstance(baseline.gain, Interval)
        assert baseline.separation.observations == result.later.observations
        assert baseline.gain.value == pytest.approx(baseline.separation.auc.value - result.later.auc.value)


def test_the_figures_are_the_same_each_time(marts: Warehouse) -> None:
    add_company(marts)
    one, other = (backtest(marts, [MODEL], FORTNIGHTLY).models[0] for _ in range(2))
    assert (one.whole, one.later, one.baselines) == (other.whole, other.later, other.baselines)


def test_nothing_trains_whose_outcome_was_not_known_when_the_test_began(company: Backtest) -> None:
    split = company.split
    assert split.train["known_on"].max() <= split.test_from <= split.test["observed_on"].min()
    embargo = company.observations.index.difference(split.train.index.union(split.test.index))
    assert (company.observations.loc[embargo, "known_on"] > split.test_from).all()
    assert len(embargo)


def test_segments_and_cohorts_get_figures_of_their_own_or_none(company: Backtest) -> None:
    (result,) = company.models
    answers = {part.name: part.answer for part in result.parts if part.kind == "segment"}
    assert set(answers) == {"pro", "starter"}
    assert all(isinstance(answer, Separation) for answer in answers.values())


def test_an_alarm_says_how_early_it_was_and_what_it_costs(company: Backtest) -> None:
    (result,) = company.models
    assert not isinstance(result.alarms, TooLittle)
    at_risk, critical = result.alarms
    assert at_risk.departed == critical.departed == company.departures
    assert critical.in_time <= at_risk.in_time <= at_risk.departed
    assert 0 < critical.share_of_stayers <= at_risk.share_of_stayers < 1


def test_with_too_few_departures_every_answer_is_that_there_is_too_little_data(marts: Warehouse) -> None:
    add_company(marts)
    found = backtest(marts, [MODEL], Design(week(0), week(9), BeforeRenewals(4)))
    (result,) = found.models
    answers = [result.whole, result.later, result.bands, result.tenths, result.alarms, found.single_metrics]
    answers += [part.answer for part in result.parts]
    answers += [answer for each in result.baselines.values() for answer in (each.separation, each.gain)]
    assert all(isinstance(answer, TooLittle) for answer in answers)
    assert verdict(result).level == "unknown"
    assert "Too little data to say" in verdict(result).headline


def test_a_metric_that_only_the_future_knows_is_refused_by_name(marts: Warehouse) -> None:
    add_company(marts, telltale="worst_open_ticket")
    with pytest.raises(UserError, match=r"The metric worst_open_ticket tells .* almost without error \(AUC"):
        backtest(marts, [MODEL], FORTNIGHTLY)
    with pytest.raises(UserError, match="worst_open_ticket"):
        backtest(marts, [MODEL], Design(week(0), week(WEEKS - 1), BeforeRenewals(4)))


def test_a_metric_that_is_filled_in_only_for_those_who_left_is_refused_too(marts: Warehouse) -> None:
    add_company(marts, telltale="worst_open_ticket")
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute("update marts.fct_account_weeks set nps_response = nullif(worst_open_ticket, 0) + 3")
        cursor.execute("update marts.fct_account_weeks set worst_open_ticket = 0")
    with pytest.raises(UserError, match="Whether the metric nps_response is known tells"):
        backtest(marts, [MODEL], FORTNIGHTLY)


def test_a_strong_but_fallible_metric_is_not_refused(marts: Warehouse) -> None:
    add_company(marts, telltale="worst_open_ticket", flatters=0.1)
    found = backtest(marts, [MODEL], FORTNIGHTLY)
    assert not isinstance(found.single_metrics, TooLittle)
    separates = found.single_metrics.set_index("metric").loc["worst_open_ticket", "separates"]
    assert isinstance(separates, float)
    assert 0.8 < separates < TELLTALE_AUC


def test_a_calendar_that_foresees_is_not_refused() -> None:
    departs = np.arange(200) < 50
    rows = pd.DataFrame({"account_id": np.arange(200), "departs": departs, "days_to_renewal": np.where(departs, 5, 90)})
    refuse_telltales(rows, ["days_to_renewal"])
    with pytest.raises(UserError, match="csat_90d"):
        refuse_telltales(rows.rename(columns={"days_to_renewal": "csat_90d"}), ["csat_90d"])


def test_signals_name_the_metric_that_separates_and_its_direction(company: Backtest) -> None:
    assert isinstance(company.single_metrics, pd.DataFrame)
    best = company.single_metrics.iloc[0]
    assert best["metric"] in ("seat_utilisation", "core_features_used")
    assert best["leavers_have"] == "less"
    assert best["separates"] == pytest.approx(1 - best["auc"])


def test_weeks_without_any_observation_are_refused(marts: Warehouse) -> None:
    add_company(marts)
    later = week(WEEKS + 5)
    with pytest.raises(UserError, match="nothing to look at"):
        backtest(marts, [MODEL], Design(later, later + timedelta(weeks=4)))


def test_tenure_narrows_what_is_looked_at(marts: Warehouse) -> None:
    add_company(marts)
    found = read_observations(marts, Design(week(0), week(WEEKS - 1), EveryWeeks(2, 30), 28, 119))
    assert found["tenure_days"].between(28, 119).all()
    assert len(found)


def test_a_single_week_has_nothing_to_learn_from(marts: Warehouse) -> None:
    add_company(marts)
    found = backtest(marts, [MODEL], Design(week(30), week(30), EveryWeeks(1, 140)))
    assert len(split_in_time(found.observations).train) == 0
    assert all(isinstance(each.separation, TooLittle) for each in found.models[0].baselines.values())


def test_signals_need_enough_accounts() -> None:
    rows = pd.DataFrame({"account_id": ["a", "b"], "departs": [True, False], "csat_90d": [1.0, 2.0]})
    assert isinstance(single_metrics(rows), TooLittle)
