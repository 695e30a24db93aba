"""From history to a model to review: written, judged on weeks it has not learned from, applied to nothing."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cs_pipeline.backtest.baselines import BASELINES
from cs_pipeline.backtest.comparison import backtest
from cs_pipeline.backtest.design import BeforeRenewals, Design, EveryWeeks
from cs_pipeline.backtest.measures import Separation, TooLittle
from cs_pipeline.backtest.tuning import tune
from cs_pipeline.cli import app
from cs_pipeline.errors import UserError
from cs_pipeline.fitting.fit import FittedModel, fit_model
from cs_pipeline.health.library import load_score_model, read_score_model
from cs_pipeline.health.reweighting import as_yaml
from cs_pipeline.reports.backtest import fitted
from cs_pipeline.reports.backtest.text import verdict
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.fixtures import marts
from tests.builders.marts import week
from tests.builders.observed_marts import LEAVERS, WEEKS, add_company

__all__ = ["marts"]

FORTNIGHTLY = Design(week(0), week(WEEKS - 1), EveryWeeks(2, 30))
WEEKLY_POINTS = load_score_model("weekly_points")


@pytest.fixture
def found(marts: Warehouse) -> FittedModel:
    add_company(marts)
    found = fit_model(marts, FORTNIGHTLY, "ours", [WEEKLY_POINTS], resamplings=5)
    assert isinstance(found, FittedModel)
    return found


def test_what_tells_leavers_apart_is_in_and_is_held_against_weeks_it_has_not_seen(found: FittedModel) -> None:
    assert set(found.model.metric_names) <= {"seat_utilisation", "core_features_used", "logged_in_7d"}
    assert isinstance(found.judged.whole, Separation)
    assert found.judged.whole.auc.low > 0.6
    assert found.judged.whole.observations <= len(found.split.test)
    assert list(found.judged.baselines) == list(BASELINES)
    (shipped,) = found.others
    assert isinstance(shipped.whole, Separation)
    assert found.judged.whole.auc.value > shipped.whole.auc.value
    assert found.known_departures.known == LEAVERS


def test_each_metric_is_in_it_or_says_why_not(found: FittedModel) -> None:
    assert not set(found.left_out) & set(found.model.metric_names)
    assert all(found.left_out.values())
    assert found.left_out["tenure_days"] == "only the calendar moves it"
    assert found.left_out["nps_response"].startswith("tells nothing more for sure")


def test_it_is_told_by_segment_and_cohort_how_early_and_what_a_person_has_to_decide(found: FittedModel) -> None:
    parts = fitted.parts(found)
    assert {"segment pro", "segment starter", "signed up in 2023"} & set(parts["part"]) >= {"segment pro"}
    assert "at risk" in set(fitted.warning(found)["alarm"])
    assert any("says the same as" in question and "--keep" in question for question in found.questions)
    program = fitted.as_object(found)
    assert program["parts"]
    assert program["questions"] == found.questions


def test_what_is_to_be_kept_takes_the_place_of_what_says_the_same(marts: Warehouse, found: FittedModel) -> None:
    taken, other = "seat_utilisation", "core_features_used"
    assert taken in found.model.metric_names
    asked = fit_model(marts, FORTNIGHTLY, "ours", resamplings=0, keep=[other], leave_out=["logged_in_7d"])
    assert isinstance(asked, FittedModel)
    assert other in asked.model.metric_names
    assert asked.left_out[taken].endswith("which was to be kept")
    assert asked.left_out["logged_in_7d"] == "was to be left out"
    with pytest.raises(UserError, match="no metric 'seats_in_use'"):
        fit_model(marts, FORTNIGHTLY, "ours", keep=["seats_in_use"])


def test_a_model_of_expansion_gives_most_points_to_who_is_ripe_for_it(marts: Warehouse) -> None:
    add_company(marts)
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            create temporary table expansions as
            select account_id, date %(start)s + 7 * (14 + abs(hashtext(account_id)) %% 42) as expands_on
            from marts.dim_accounts where churned_at is null and abs(hashtext(account_id)) %% 3 > 0;
            update marts.fct_account_weeks as weeks
            set
                mrr = case when weeks.week >= expands_on then 150 else 100 end,
                seat_utilisation = weeks.seat_utilisation + case
                    when weeks.week between expands_on - 42 and expands_on - 7 then 0.3 else 0 end
            from expansions where weeks.account_id = expansions.account_id;
            update marts.fct_account_weeks set mrr = 100 where mrr is null
            """,
            {"start": week(0)},
        )
    design = Design(week(0), week(WEEKS - 1), EveryWeeks(2, 30), outcome="expansion")
    found = fit_model(marts, design, "ripe", resamplings=0)
    assert isinstance(found, FittedModel)
    metric = next(each for each in found.model.metrics if each.metric == "seat_utilisation")
    assert metric.table is not None
    assert metric.table[0].from_ is not None  # the row with most points is that of the highest values
    assert isinstance(found.judged.whole, Separation)
    assert found.judged.whole.auc.low > 0.6
    assert [band.band for band in found.model.bands] == ["Ripe", "Open"]
    assert found.judged.alarms == []
    assert "double the odds" in " ".join(fitted.said(found))
    (seen,) = backtest(marts, [found.model], design).models
    assert isinstance(seen.whole, Separation)
    assert seen.whole.auc.value == found.judged.whole.auc.value
    with pytest.raises(UserError, match="model fit --outcome expansion"):
        tune(marts, WEEKLY_POINTS, design)


def test_the_file_can_be_read_and_says_what_it_was_made_from(found: FittedModel, tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text(as_yaml(found.model), encoding="utf-8")
    read = read_score_model(path)
    assert read.version == found.model.version
    assert read.learned_until == found.split.test_from.date()
    assert "followed by a departure" in read.description
    assert str(found.split.test_from.date()) in read.title


def test_the_later_part_teaches_nothing(marts: Warehouse, found: FittedModel) -> None:
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute(
            "update marts.fct_account_weeks set seat_utilisation = 1 - seat_utilisation where week + 7 >= %s",
            [found.split.test_from.date()],
        )
    again = fit_model(marts, FORTNIGHTLY, "ours", [WEEKLY_POINTS], resamplings=5)
    assert isinstance(again, FittedModel)
    assert as_yaml(again.model) == as_yaml(found.model)
    assert again.judged.whole != found.judged.whole


def test_a_backtest_judges_it_on_weeks_that_it_has_not_learned_from(marts: Warehouse, found: FittedModel) -> None:
    fitted_model, shipped = backtest(marts, [found.model, WEEKLY_POINTS], FORTNIGHTLY).models
    assert isinstance(fitted_model.whole, Separation)
    assert isinstance(shipped.whole, Separation)
    assert fitted_model.whole == found.judged.whole
    assert shipped.whole.observations > fitted_model.whole.observations
    assert f"Judged on weeks from {found.model.learned_until} on" in " ".join(verdict(fitted_model).reasons)
    unaware = found.model.changed(learned_until=None)
    assert unaware.version == found.model.version


def test_a_metric_that_knows_the_outcome_is_left_out_by_name(marts: Warehouse) -> None:
    add_company(marts, telltale="worst_open_ticket")
    found = fit_model(marts, Design(week(0), week(WEEKS - 1)), "ours", resamplings=0)
    assert isinstance(found, FittedModel)
    assert found.left_out["worst_open_ticket"].startswith("seems to know the outcome")


def test_too_little_says_what_would_be_enough(marts: Warehouse) -> None:
    add_company(marts)
    found = fit_model(marts, Design(week(0), week(15), BeforeRenewals(4)), "ours")
    assert isinstance(found, TooLittle)
    assert "and 20 are needed" in found.reason


def test_words_and_tables_name_the_best_baseline_and_what_is_doubtful(found: FittedModel) -> None:
    said = " ".join(fitted.said(found))
    assert "On weeks that it has not seen it reaches an AUC of" in said
    assert "of the best baseline" in said
    points = fitted.points(found)
    assert points["points"].sum() == 100
    assert "below" in points["steps"].iloc[0]
    bands = fitted.bands(found)
    assert bands["band"].tolist() == [band.band for band in found.model.bands]
    assert bands["scores"].iloc[0].endswith(" to 100")
    assert bands["left_in_later_weeks"].str.contains("to|too little data", regex=True).all()
    assert fitted.beside(found)["model"].iloc[0] == "ours"
    assert fitted.as_object(found)["left_out"] == found.left_out


@pytest.mark.slow(seconds=5)
def test_the_command_writes_the_file_and_applies_nothing(
    marts: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_company(marts)
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", marts.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(tmp_path))
    output = tmp_path / "our_points.yaml"
    arguments = ["model", "fit", "--every", "2", "--resamplings", "3", "--output", str(output)]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert read_score_model(output).model == "our_points"
    words = " ".join(done.output.split())
    assert "cs-pipeline model diff" in words
    assert "nothing uses it until" in words
    with pytest.raises(UserError, match="is there already"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    early = ["model", "fit", "--to", str(week(15)), "--resamplings", "0"]
    assert "No model: too little data to say" in CliRunner().invoke(app, early, catch_exceptions=False).output
