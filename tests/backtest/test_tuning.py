"""Weights that follow what happened, within limits, with reasons, and held against weeks they have not seen."""

from dataclasses import replace
from pathlib import Path

import pytest

from cs_pipeline.backtest.baselines import BASELINES
from cs_pipeline.backtest.design import BeforeRenewals, Design, EveryWeeks
from cs_pipeline.backtest.measures import Interval, Separation, TooLittle
from cs_pipeline.backtest.tuning import PRESENT, PROPOSED, REACH, STEP, Proposal, tune
from cs_pipeline.errors import UserError
from cs_pipeline.health.library import load_score_model, read_score_model
from cs_pipeline.health.reweighting import as_yaml, weights_of
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.reports.backtest.text import coverage_kept, tuning_verdict, why_weight_moved
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import week
from tests.builders.observed_marts import LEAVERS, WEEKS, add_company
from tests.builders.scored_accounts import simple_model

MODEL = load_score_model("weekly_points_halve")
FORTNIGHTLY = Design(week(0), week(WEEKS - 1), EveryWeeks(2, 30))


@pytest.fixture
def proposal(marts: Warehouse) -> Proposal:
    add_company(marts)
    found = tune(marts, MODEL, FORTNIGHTLY)
    assert isinstance(found, Proposal)
    return found


def test_weights_move_to_what_tells_leavers_apart(proposal: Proposal) -> None:
    moves = {weight.metric: weight.after - weight.before for weight in proposal.weights}
    assert moves["seat_utilisation"] > 0  # leavers use less and less; all else of them is chance
    assert moves["nps_response"] < 0
    assert moves["opened_last_3_emails"] < 0
    assert proposal.is_changed


def test_weights_stay_within_their_limits(proposal: Proposal) -> None:
    assert sum(weight.after for weight in proposal.weights) == 100
    for weight in proposal.weights:
        assert (1 - REACH) * weight.before <= weight.after <= (1 + REACH) * weight.before
        assert weight.after % STEP == 0


def test_each_weight_says_why(proposal: Proposal) -> None:
    why = {weight.metric: why_weight_moved(weight) for weight in proposal.weights}
    assert why["seat_utilisation"].startswith("seats in use: those who left had ")
    assert all("those who stayed" in reason for reason in why.values())


def test_it_is_judged_on_weeks_that_it_has_not_seen(proposal: Proposal) -> None:
    assert list(proposal.later) == [PRESENT, PROPOSED, *BASELINES]
    present, proposed = proposal.later[PRESENT], proposal.later[PROPOSED]
    assert isinstance(present, Separation)
    assert isinstance(proposed, Separation)
    assert isinstance(proposal.gain, Interval)
    assert present.observations == proposed.observations
    assert proposal.gain.value == pytest.approx(proposed.auc.value - present.auc.value)
    assert proposal.is_better
    assert tuning_verdict(proposal).startswith("Better on weeks that it has not seen")


def test_a_proposal_that_is_not_better_is_said_to_be_so(proposal: Proposal) -> None:
    unsure = replace(proposal, gain=Interval(0.01, -0.01, 0.03))
    assert not unsure.is_better
    assert "Not better for sure" in tuning_verdict(unsure)
    assert tuning_verdict(replace(proposal, gain=Interval(-0.02, -0.03, -0.01))).startswith("Worse")
    assert "not tested" in tuning_verdict(replace(proposal, gain=TooLittle("only 3 accounts left, and 20 are needed")))


def test_the_proposal_is_a_file_that_can_be_read(proposal: Proposal, tmp_path: Path) -> None:
    path = tmp_path / "tuned.yaml"
    path.write_text(as_yaml(proposal.tuned.changed(model="tuned")), encoding="utf-8")
    assert read_score_model(path).version == proposal.tuned.changed(model="tuned").version


def test_the_weights_are_the_same_each_time(marts: Warehouse, proposal: Proposal) -> None:
    again = tune(marts, MODEL, FORTNIGHTLY)
    assert isinstance(again, Proposal)
    assert (again.weights, again.later, again.gain) == (proposal.weights, proposal.later, proposal.gain)


def test_the_later_part_teaches_nothing(marts: Warehouse, proposal: Proposal) -> None:
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute(
            "update marts.fct_account_weeks set seat_utilisation = 1 - seat_utilisation where week + 7 >= %s",
            [proposal.test_from.date()],
        )
    again = tune(marts, MODEL, FORTNIGHTLY)
    assert isinstance(again, Proposal)
    assert again.weights == proposal.weights
    assert again.gain != proposal.gain


@pytest.mark.parametrize(
    "model",
    [
        simple_model((100, {"seat_utilisation": 60, "nps_response": 40})),
        simple_model((80, {"seat_utilisation": 80, "logged_in_7d": 80}), (20, {"opened_last_3_emails": 20})),
    ],
    ids=["one dimension of 100 points", "metrics that would need more than 100 points each"],
)
def test_any_sound_model_can_be_tuned(marts: Warehouse, model: ScoreModel) -> None:
    add_company(marts)
    found = tune(marts, model, FORTNIGHTLY)
    assert isinstance(found, Proposal)
    assert found.is_changed
    assert weights_of(found.tuned) == pytest.approx([weight.after for weight in found.weights])
    assert all(metric.points <= 100 for metric in found.tuned.metrics)


def test_no_account_loses_its_score_to_other_weights(marts: Warehouse) -> None:
    """Of every other account only the answers are known, which is just enough; what tells leavers apart is the use."""
    add_company(marts)
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute(
            "update marts.fct_account_weeks set seat_utilisation = null where right(account_id, 1)::integer % 2 = 1"
        )
    model = simple_model((100, {"seat_utilisation": 50, "nps_response": 50}))
    found = tune(marts, model, FORTNIGHTLY)
    assert isinstance(found, Proposal)
    assert [weight.after for weight in found.weights] == [50, 50]
    assert found.coverage.before == found.coverage.after == found.coverage.accounts
    assert "none of them would lose it" in coverage_kept(found.coverage)
    lower = tune(marts, model.changed(coverage_floor=0.25), FORTNIGHTLY)
    assert isinstance(lower, Proposal)
    assert lower.weights[0].after == 75


def test_departures_that_were_not_looked_at_are_counted(proposal: Proposal) -> None:
    assert proposal.known_departures.known == LEAVERS
    assert proposal.known_departures.looked_at <= LEAVERS


def test_too_few_departures_give_no_weights(marts: Warehouse) -> None:
    add_company(marts)
    found = tune(marts, MODEL, Design(week(0), week(15), BeforeRenewals(4)))
    assert isinstance(found, TooLittle)
    assert "earlier part" in str(found)


def test_nothing_is_learned_from_a_metric_that_knows_the_outcome(marts: Warehouse) -> None:
    add_company(marts, telltale="worst_open_ticket")
    with pytest.raises(UserError, match="worst_open_ticket"):
        tune(marts, MODEL, FORTNIGHTLY)


def test_weeks_without_observations_are_refused(marts: Warehouse) -> None:
    add_company(marts)
    with pytest.raises(UserError, match="nothing to look at"):
        tune(marts, MODEL, Design(week(WEEKS + 5), week(WEEKS + 9)))
