"""What a play is planted to do is found again: enrolled over past triggers as they would have been, nobody contacted.

The company lives twice, from the same seed: with a play that keeps customers, and without. What the same accounts came
to in the other life is the truth about what the play did to them.

To be cheap, history is scored once, without the play, and plays begin from that: up to the day on which a customer is
kept both lives are the same (tests/demo/test_rescues.py). What comes after that day is then put in: accounts and
contracts through the loader, on which the marts are views, and scores straight into their table.
"""

from dataclasses import replace
from datetime import UTC, datetime, time

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest

from cs_pipeline.backtest.measures import Interval
from cs_pipeline.backtest.uplift import Uplift, decided_accounts, uplifts
from cs_pipeline.demo.company import PlayEffect
from cs_pipeline.demo.generate import generate
from cs_pipeline.demo.parquet_parts import remove_parts, table_names
from cs_pipeline.demo.planted_outcomes import plant
from cs_pipeline.demo.slices import write_slice
from cs_pipeline.demo.treatment_effects import apply_treatment
from cs_pipeline.demo.truth import load_truth
from cs_pipeline.orchestration.keys import EFFECTS_JOB, PLAY_EFFECTS
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.enrolment.holdout import held_out
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.load import load_folder
from tests.builders.sample_history import WEEK, History
from tests.builders.triggers import open_triggers
from tests.conftest import CopyDatabase

pytestmark = [pytest.mark.xdist_group("planted_effect"), pytest.mark.slow(seconds=20)]

KEEPS = 0.9
DRAWS = 80  # of which 95 % hold the truth, give or take 5 in 100
YAML = """
playbook: somebody_calls
title: Somebody calls
description: Whoever falls is called.
family: save
priority: 50
hold_out: 0.5
trigger: {kind: score_change, when: to_severity >= 1 and to_severity > from_severity}
steps:
  - {step: call, day: 1, channel: crm, to: owner, template: red_discovery_call, intent: inform}
"""


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Playbook:
    config = tmp_path_factory.mktemp("config")
    (config / "playbooks").mkdir()
    (config / "playbooks" / "somebody_calls.yaml").write_text(YAML)
    return load_playbooks(config)["somebody_calls"]


@pytest.fixture(scope="module")
def other_life(
    larger_history: History, copy_once: CopyDatabase, tmp_path_factory: pytest.TempPathFactory, play: Playbook
) -> History:
    """The larger company, in which accounts were decided on, and nothing came of it."""
    history = History(copy_once(larger_history.warehouse), tmp_path_factory.mktemp("other"), larger_history.company)
    enrol_as_weeks_go_by(history, play)
    return history


@pytest.fixture(scope="module")
def planted(
    play: Playbook, other_life: History, copy_once: CopyDatabase, tmp_path_factory: pytest.TempPathFactory
) -> History:
    """The same, had the play kept some of them."""
    folder = tmp_path_factory.mktemp("planted")
    company = replace(other_life.company, play_effect=PlayEffect(play, keeps=KEEPS))
    history = History(copy_once(other_life.warehouse), folder / "home", company)
    generate(folder / "sample", company)
    load_truth(history.warehouse, folder / "sample")
    write_slice(folder / "sample", folder / "slice", before=company.ends_at)
    for name in set(table_names(folder / "slice")) - {"accounts", "subscriptions"}:
        remove_parts(folder / "slice" / name)
    history.rows("truncate raw.subscriptions")  # their keys count rows, of which there are more now
    load_folder(history.warehouse, folder / "slice")
    history.rows(SCORES_OF_THE_KEPT)
    return history


SCORES_OF_THE_KEPT = """
with kept as materialized (
    select treatment_effects.account_id, treatment_effects.would_leave_on, truth.onset_on
    from demo_truth.rescues_truth as treatment_effects
    inner join demo_truth.accounts_truth as truth using (account_id)
    where treatment_effects.is_kept
),

before as materialized (
    select distinct on (scores.account_id) scores.*, kept.would_leave_on
    from kept
    inner join cs.health_scores as scores using (account_id)
    where scores.is_active and scores.week < kept.onset_on - 7
    order by scores.account_id, scores.week desc
)

insert into cs.health_scores
select (jsonb_populate_record(null::cs.health_scores, to_jsonb(before) || jsonb_build_object('week', later.week))).*
from before
inner join (select distinct week from cs.health_scores) as later on later.week >= before.would_leave_on
"""
"""A kept customer has the score of before its decline again, from the week on in which it would have left."""


def enrol_as_weeks_go_by(history: History, play: Playbook) -> None:
    """Triggers of the past, were it live, decided on every third Monday, as far as their outcome can be known by now.

    Nothing is delivered.
    """
    history.rows("update cs.score_changes set origin = 'live'")
    settings = history.settings.model_copy(update={"breaker_share": 1.0})
    first, last = history.company.first_week, history.company.ends_on - 13 * WEEK
    for number in range((last - first).days // 7):
        week = first + number * WEEK
        open_triggers(history.warehouse, week)
        if number % 3 == 2:
            opened = history.rows(
                f"select trigger_id from cs.triggers where kind = 'score_change' and week > '{week - 3 * WEEK}'"
            )
            monday = datetime.combine(week + WEEK, time(6), UTC)
            enrol(history.warehouse, play, [trigger_id for (trigger_id,) in opened], settings, monday)  # pyright: ignore[reportArgumentType]


def decided(history: History) -> pd.DataFrame:
    assert history.settings.now is not None
    return decided_accounts(history.warehouse, "somebody_calls", history.settings.now)


def by_name(found: list[Uplift]) -> dict[str, Uplift]:
    return {uplift.measure.name: uplift for uplift in found}


def planted_shares(history: History, here: pd.DataFrame) -> dict[str, float]:
    """The effect that the generator wrote down: of those who would have left in time, so many are kept."""
    truth = query(history.warehouse, "select account_id, would_leave_on, keeps from demo_truth.rescues_truth")
    known = here.merge(when_decided(history), on="account_id").merge(truth, on="account_id", how="left")
    assert known["keeps"].dropna().eq(KEEPS).all()
    days = (known["would_leave_on"].astype("datetime64[s]") - known["decided_on"].astype("datetime64[s]")).dt.days
    return {
        "left within 90 days": -KEEPS * days[known["has_left"].notna()].between(1, 90).mean(),
        "renewed": KEEPS * days[known["has_renewed"].notna()].between(1, 365).mean(),
    }


def when_decided(history: History) -> pd.DataFrame:
    return query(
        history.warehouse,
        "select account_id, min(enrolled_at)::date as decided_on from cs.enrolments "
        "where status <> 'refused' or reason = 'hold_out' group by 1",
    )


@pytest.mark.requirement("S3-82")
def test_the_planted_effect_lies_within_the_intervals(planted: History, other_life: History) -> None:
    here, there = decided(planted), decided(other_life)
    assert here["account_id"].tolist() == there["account_id"].tolist()
    found = by_name(uplifts(here))
    assert found["left within 90 days"].verdict == "helps"
    truth = planted_shares(planted, here)
    enrolled = ~here["is_held_out"].astype(bool)
    scores = (lives.loc[enrolled, "score_change"].dropna().astype(float).mean() for lives in (here, there))
    truth["score after 8 weeks"] = next(scores) - next(scores)
    assert truth.keys() == found.keys()
    for name, uplift in found.items():
        assert isinstance(uplift.difference, Interval)
        assert uplift.difference.low <= truth[name] <= uplift.difference.high, (name, truth[name], uplift.difference)


def test_without_an_effect_the_intervals_contain_zero(other_life: History) -> None:
    for uplift in uplifts(decided(other_life)):
        assert isinstance(uplift.difference, Interval)
        assert uplift.verdict == "no difference shown", uplift


def test_whoever_is_held_out_the_intervals_hold_the_truth_as_often_as_they_say(
    planted: History, other_life: History, play: Playbook
) -> None:
    """The same accounts as if other names of the play had drawn the hold-out: who would have left, with and without."""
    there = decided(other_life)
    outcomes = plant(planted.company, 0, planted.company.accounts)
    truth = planted_shares(planted, there)["left within 90 days"]
    zero, planted_truth = [], []
    for number in range(DRAWS):
        other = play.model_copy(update={"playbook": f"play_{number}"})
        drawn = there.assign(is_held_out=held_out(other, there["account_id"]))
        zero.append(holds(drawn, 0))
        _, treatment_effects = apply_treatment(PlayEffect(other, KEEPS), planted.company, 0, outcomes)
        kept = set(treatment_effects.filter(pc.field("is_kept"))["account_id"].to_pylist())
        stays = drawn["account_id"].isin(kept) & drawn["has_left"].notna()
        planted_truth.append(holds(drawn.assign(has_left=drawn["has_left"].mask(stays, False)), truth))
    assert np.mean(zero) > 0.88
    assert np.mean(planted_truth) > 0.88


def holds(accounts: pd.DataFrame, truth: float) -> bool:
    found = by_name(uplifts(accounts))["left within 90 days"].difference
    assert isinstance(found, Interval)
    return found.low <= truth <= found.high


def test_who_was_held_out_fares_as_in_the_other_life(planted: History, other_life: History) -> None:
    here, there = decided(planted), decided(other_life)
    held = here["is_held_out"].astype(bool)
    for column in ("has_left", "has_renewed"):
        pd.testing.assert_series_equal(here.loc[held, column], there.loc[held, column])
    changed = here.loc[here["has_left"].ne(there["has_left"]) & here["has_left"].notna(), "account_id"]
    kept = query(planted.warehouse, "select account_id from demo_truth.rescues_truth where is_kept")["account_id"]
    assert len(changed) > 5
    assert set(changed) <= set(kept)


def test_of_a_tiny_company_it_is_too_small_to_tell(planted: History) -> None:
    here = decided(planted)
    tiny = here[here["account_id"] <= "acc-000050"]
    assert len(tiny) > 5
    assert {uplift.verdict for uplift in uplifts(tiny)} == {"too small to tell"}


def test_nobody_was_contacted(planted: History) -> None:
    assert planted.count("cs.enrolments", "status <> 'refused'") > 30
    assert planted.count("cs.captured_messages") == planted.count("cs.action_attempts") == 0


def test_the_asset_shows_verdicts_a_table_and_a_chart(planted: History) -> None:
    with planted.runtime() as runtime:
        weekly = runtime.launcher.definitions.resolve_job_def("weekly_health")
        assert PLAY_EFFECTS not in weekly.asset_layer.executable_asset_keys
        (event,) = runtime.launcher.run(EFFECTS_JOB).get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert "- **somebody_calls**, left within 90 days: helps" in str(metadata["verdicts"].value)
    assert [record.data["verdict"] for record in metadata["uplift"].records][:2] == ["helps", "helps"]  # pyright: ignore[reportAttributeAccessIssue]
    assert "data:image/png;base64," in str(metadata["differences"].value)
