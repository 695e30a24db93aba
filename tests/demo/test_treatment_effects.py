"""What a play is planted to do: keep customers on the day on which they would have left, and change nothing else."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from cs_pipeline.demo.company import PlayEffect, SampleCompany
from cs_pipeline.demo.generate import block_tables, generate
from cs_pipeline.demo.treatment_effects import MET
from cs_pipeline.demo.truth import ACCOUNTS, TREATMENT_EFFECTS, load_truth
from cs_pipeline.errors import UserError
from cs_pipeline.plays.enrolment.holdout import held_out
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import save_play

PLAY = save_play(hold_out=0.4)
UNTOUCHED = SampleCompany(accounts=500, weeks=36, seed=5, events_scale=0.0)
Tables = dict[str, pa.Table]


@pytest.fixture(scope="module")
def without() -> tuple[Tables, Tables]:
    return block_tables(UNTOUCHED, 0)


@pytest.fixture(scope="module")
def planted() -> tuple[Tables, Tables]:
    return block_tables(replace(UNTOUCHED, play_effect=PlayEffect(PLAY, keeps=0.7)), 0)


@pytest.fixture(scope="module")
def treatment_effects(planted: tuple[Tables, Tables]) -> pd.DataFrame:
    frame = planted[1][TREATMENT_EFFECTS].to_pandas().set_index("account_id")
    return frame.assign(would_leave_on=pd.to_datetime(frame["would_leave_on"], utc=True))


def churned(tables: Tables) -> pd.Series:
    return tables["accounts"].to_pandas().set_index("account_id")["churned_at"]


def test_a_play_that_keeps_nobody_changes_no_row(without: tuple[Tables, Tables]) -> None:
    tables, truth = block_tables(replace(UNTOUCHED, play_effect=PlayEffect(PLAY, keeps=0.0)), 0)
    assert all(tables[name].equals(rows) for name, rows in without[0].items())
    assert all(truth[name].equals(rows) for name, rows in without[1].items())
    assert TREATMENT_EFFECTS not in without[1]
    assert not truth[TREATMENT_EFFECTS].to_pandas()["is_kept"].any()


def test_the_share_that_was_asked_for_is_kept_and_nobody_who_is_held_out(
    treatment_effects: pd.DataFrame, without: tuple[Tables, Tables]
) -> None:
    outcomes = without[1][ACCOUNTS].to_pandas().set_index("account_id")
    met = outcomes[outcomes["cause"].isin(["disengagement", "champion_left", "support_pain"])]
    assert len(MET) == met["cause"].nunique()
    assert set(treatment_effects.index) == set(met.index)
    assert treatment_effects["is_held_out"].to_dict() == dict(
        zip(treatment_effects.index, held_out(PLAY, pd.Series(treatment_effects.index)), strict=True)
    )
    assert not treatment_effects.loc[treatment_effects["is_held_out"], "is_kept"].any()
    assert 0.5 < treatment_effects.loc[~treatment_effects["is_held_out"], "is_kept"].mean() < 0.9


def test_only_those_who_are_kept_stay(
    treatment_effects: pd.DataFrame, planted: tuple[Tables, Tables], without: tuple[Tables, Tables]
) -> None:
    before, after = churned(without[0]), churned(planted[0])
    assert after[treatment_effects.index[treatment_effects["is_kept"]]].isna().all()
    others = before.index.difference(treatment_effects.index[treatment_effects["is_kept"]])
    pd.testing.assert_series_equal(before[others], after[others])


def test_a_kept_customer_declines_as_it_would_have_and_then_comes_back(
    treatment_effects: pd.DataFrame, planted: tuple[Tables, Tables], without: tuple[Tables, Tables]
) -> None:
    kept = treatment_effects[
        treatment_effects["is_kept"]
        & (treatment_effects["would_leave_on"] < pd.Timestamp(UNTOUCHED.ends_at) - pd.Timedelta("28D"))
    ]
    assert len(kept) >= 10
    (alone, helped) = (logins(tables[0]).merge(kept, on="account_id") for tables in (without, planted))
    earlier = helped[helped["day"] < helped["would_leave_on"]]
    here, there = people_and_weeks(earlier), people_and_weeks(alone[alone["day"] < alone["would_leave_on"]])
    assert len(here & there) > 0.97 * len(here | there)  # hours are drawn anew, and at midnight a week may end
    back = helped[helped["day"] >= helped["would_leave_on"]]
    month = pd.Timedelta("28D")
    assert (back["day"] < back["would_leave_on"] + month).sum() > (
        2 * (earlier["day"] >= earlier["would_leave_on"] - month).sum()
    )
    base = planted[0]["subscriptions"].to_pandas()
    successors = base[base["is_addon"].eq(False)].merge(kept, on="account_id")
    yearly = successors[pd.to_datetime(successors["renews_on"], utc=True) == successors["would_leave_on"]]
    started = pd.to_datetime(successors["started_on"], utc=True)
    assert set(yearly["account_id"]) <= set(successors.loc[started >= successors["would_leave_on"], "account_id"])


def logins(tables: Tables) -> pd.DataFrame:
    rows = tables["events"].select(["account_id", "user_id", "event_name", "occurred_at"]).to_pandas()
    rows = rows[rows["event_name"] == "login"]
    return rows.assign(day=rows["occurred_at"].dt.floor("D"))


def people_and_weeks(rows: pd.DataFrame) -> set[tuple[str, int]]:
    """Who was there in which week."""
    return set(zip(rows["user_id"], rows["day"].dt.isocalendar().week, strict=True))


def test_the_truth_about_it_is_loaded_beside_the_pipeline(tmp_path: Path, warehouse: Warehouse) -> None:
    small = SampleCompany(accounts=60, weeks=20, events_scale=0.0)
    generate(tmp_path / "plain", small)
    load_truth(warehouse, tmp_path / "plain")
    assert query(warehouse, "select to_regclass('demo_truth.rescues_truth') is null as gone")["gone"].all()
    generate(tmp_path / "planted", replace(small, play_effect=PlayEffect(PLAY, keeps=1.0)))
    load_truth(warehouse, tmp_path / "planted")
    truth = query(warehouse, "select * from demo_truth.rescues_truth")
    assert set(truth["playbook"]) == {"yellow"}
    assert (truth["is_kept"] == ~truth["is_held_out"]).all()


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match=r"between 0 and 1, not 1\.2"):
        PlayEffect(PLAY, keeps=1.2)
