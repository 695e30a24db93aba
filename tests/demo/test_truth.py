"""What is planted is there to be found: every cause of churn shows in the data, from its onset on."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.planted_outcomes import CAUSES, OUTCOMES
from cs_pipeline.demo.truth import ACCOUNTS, REJECTS, load_truth, read_truth
from cs_pipeline.warehouse.connection import Warehouse

Sound = Callable[[str], pd.DataFrame]
FOUR_WEEKS = pd.Timedelta(weeks=4)


@pytest.fixture(scope="module")
def truth(folder: Path) -> pd.DataFrame:
    frame = read_truth(folder, ACCOUNTS).to_pandas()
    for column in ("onset_on", "leaves_on", "churned_on", "dips_from", "recovers_on", "expands_on"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return frame


def of_cause(truth: pd.DataFrame, cause: str) -> pd.DataFrame:
    """Accounts that left for `cause`."""
    found = truth[(truth["cause"] == cause) & truth["churned_on"].notna()]
    assert len(found) >= 2
    return found


def test_every_account_has_a_fate_and_the_shares_are_as_planted(truth: pd.DataFrame, sound: Sound) -> None:
    assert set(truth["account_id"]) == set(sound("accounts")["account_id"])
    assert truth["fate"].value_counts().to_dict() == {"steady": 98, "churn": 48, "dip": 28, "expansion": 26}
    assert set(truth["fate"]) == set(OUTCOMES)
    assert truth["cause"].dropna().value_counts().to_dict() == {
        "disengagement": 13, "champion_left": 9, "support_pain": 8, "price": 7, "no_onboarding": 6, "bad_fit": 5,
    }  # fmt: skip
    assert set(truth["cause"].dropna()) == set(CAUSES)


def test_who_churned_is_in_the_truth_to_the_day(truth: pd.DataFrame, sound: Sound) -> None:
    accounts = sound("accounts").merge(truth, on="account_id")
    days_apart = (accounts["churned_at"] - accounts["churned_on"]).dt.total_seconds() / 86_400
    assert accounts["churned_at"].notna().sum() == accounts["churned_on"].notna().sum()
    assert days_apart.abs().max() < 2
    assert (truth["leaves_on"] >= truth["churned_on"]).sum() == truth["churned_on"].notna().sum()


def test_churn_is_believable(truth: pd.DataFrame, sound: Sound, company: SampleCompany) -> None:
    present = len(truth) - truth["churned_on"].notna().sum() / 2
    monthly = truth["churned_on"].notna().sum() / present / (company.weeks / 4.35)
    assert 0.008 < monthly < 0.02


def test_the_lead_time_is_the_weeks_between_onset_and_leaving(truth: pd.DataFrame) -> None:
    leaving = truth[truth["cause"].notna()]
    assert ((leaving["leaves_on"] - leaving["onset_on"]).dt.days // 7 == leaving["lead_weeks"]).all()
    assert leaving["lead_weeks"].between(4, 30).all()


def sessions_a_week(events: pd.DataFrame, first: pd.Series, last: pd.Series) -> pd.Series:
    """Logins a week of each account between its `first` and `last` (both by account)."""
    logins = events[events["event_name"] == "login"]
    span = pd.DataFrame({"first": first, "last": last})
    joined = logins.merge(span, left_on="account_id", right_index=True)
    within = joined[(joined["occurred_at"] >= joined["first"]) & (joined["occurred_at"] < joined["last"])]
    weeks = (span["last"] - span["first"]).dt.days / 7
    return within.groupby("account_id").size().reindex(span.index).fillna(0) / weeks


@pytest.mark.parametrize("cause", ["disengagement", "champion_left"])
def test_use_falls_away_before_a_disengaged_account_leaves(cause: str, truth: pd.DataFrame, sound: Sound) -> None:
    gone = of_cause(truth, cause).set_index("account_id")
    gone = gone[gone["onset_on"] > sound("events")["occurred_at"].min() + 2 * FOUR_WEEKS]
    before = sessions_a_week(sound("events"), gone["onset_on"] - 2 * FOUR_WEEKS, gone["onset_on"])
    at_last = sessions_a_week(sound("events"), gone["churned_on"] - FOUR_WEEKS, gone["churned_on"])
    assert at_last.sum() < 0.5 * before.sum()


def test_the_champion_is_deleted_on_the_day_of_the_onset(truth: pd.DataFrame, sound: Sound) -> None:
    roles = sound("contact_roles").query("role == 'champion'").merge(of_cause(truth, "champion_left"), on="account_id")
    users = sound("users").set_index("user_id")
    assert (pd.to_datetime(roles["ended_on"], utc=True) == roles["onset_on"]).all()
    assert users.loc[roles["user_id"], "deleted_at"].notna().all()


def test_critical_tickets_pile_up_where_support_is_the_pain(truth: pd.DataFrame, sound: Sound) -> None:
    critical = sound("tickets").query("priority == 'critical'")
    pained = critical.merge(of_cause(truth, "support_pain"), on="account_id")
    share_after_onset = (pained["created_at"] >= pained["onset_on"]).mean()
    assert pained["account_id"].nunique() == len(of_cause(truth, "support_pain"))
    assert share_after_onset > 0.9
    assert len(pained) > 0.3 * len(critical)


def test_who_was_never_onboarded_did_not_reach_the_first_value(truth: pd.DataFrame, sound: Sound) -> None:
    first_value = sound("onboarding_progress").query("is_aha")
    reached = first_value.dropna(subset="completed_at")["account_id"]
    assert not of_cause(truth, "no_onboarding")["account_id"].isin(reached).any()
    assert truth[truth["fate"] == "steady"]["account_id"].isin(reached).mean() > 0.7


def test_who_leaves_over_the_price_owes_invoices_and_says_so(truth: pd.DataFrame, sound: Sound) -> None:
    priced_out = of_cause(truth, "price")
    invoices = sound("invoices").merge(priced_out, on="account_id")
    due = pd.to_datetime(invoices["due_on"], utc=True)
    late = invoices[(due < invoices["churned_on"]) & ~(invoices["paid_at"] <= due + pd.Timedelta(days=10))]
    assert late["account_id"].nunique() >= 0.6 * len(priced_out)
    objections = sound("feedback").query("kind == 'price_objection'")
    assert priced_out["account_id"].isin(objections["account_id"]).mean() >= 0.6


def test_a_bad_fit_is_noticed_some_weeks_after_sign_up(truth: pd.DataFrame, sound: Sound) -> None:
    accounts = sound("accounts").set_index("account_id")
    assert set(accounts.index[accounts["is_bad_fit"]]) <= set(truth[truth["cause"] == "bad_fit"]["account_id"])
    assert accounts.loc[of_cause(truth, "bad_fit")["account_id"], "is_bad_fit"].all()


def test_a_dip_recovers(truth: pd.DataFrame, sound: Sound, company: SampleCompany) -> None:
    dips = truth.dropna(subset="dips_from").set_index("account_id")
    dips = dips[dips["recovers_on"] + FOUR_WEEKS < company.ends_at]
    during = sessions_a_week(sound("events"), dips["dips_from"], dips["recovers_on"])
    after = sessions_a_week(sound("events"), dips["recovers_on"], dips["recovers_on"] + FOUR_WEEKS)
    assert during.sum() < 0.5 * after.sum()


def test_an_expansion_adds_seats(truth: pd.DataFrame, sound: Sound, company: SampleCompany) -> None:
    grown = truth.dropna(subset="expands_on").set_index("account_id")
    base = sound("subscriptions").query("not is_addon and not is_trial")
    base["started_on"] = pd.to_datetime(base["started_on"], utc=True)
    newest = base.sort_values("started_on").groupby("account_id").last()
    first = base.sort_values("started_on").groupby("account_id").first()
    more = newest["mrr"] > 1.2 * first["mrr"]
    assert more.reindex(grown.index[grown["expands_on"] < company.ends_at]).mean() > 0.7


def test_the_truth_is_loaded_beside_the_pipeline(folder: Path, warehouse: Warehouse) -> None:
    load_truth(warehouse, folder)
    load_truth(warehouse, folder)
    with warehouse.session() as connection, connection.cursor() as cursor:
        cursor.execute(f"select count(*), count(churned_on) from demo_truth.{ACCOUNTS}")
        counts = cursor.fetchone()
        cursor.execute(f"select count(*) from demo_truth.{REJECTS}")
        rejects = cursor.fetchone()
    planted = read_truth(folder, ACCOUNTS)
    assert counts == (200, planted.num_rows - planted["churned_on"].null_count)
    assert rejects == (read_truth(folder, REJECTS).num_rows,)
