"""Observations: who is looked at when, and what counts as having left."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from cs_pipeline.backtest.departures import AFTER, BEFORE, BETWEEN, LOOKED_AT, TENURE, TOO_SHORT, count_departures
from cs_pipeline.backtest.design import BeforeRenewals, Design, EveryWeeks, Outcome, design_of
from cs_pipeline.backtest.observations import read_observations, weeks_of_marts
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import week
from tests.builders.observed_marts import add_account

LAST = 59
DAY = timedelta(days=1)


def observed(warehouse: Warehouse, scheme: BeforeRenewals | EveryWeeks, first: int = 0) -> dict[str, list[object]]:
    """For each account, the numbers of the weeks it is observed in; negative where it then left."""
    found = read_observations(warehouse, Design(week(first), week(LAST), scheme))
    found["number"] = (found["week"] - pd.Timestamp(week(0))).dt.days // 7
    found["number"] = found["number"].where(~found["departs"], -found["number"])
    return {str(account): rows.tolist() for account, rows in found.groupby("account_id")["number"]}


def test_at_a_rhythm_everybody_is_looked_at_and_leaving_in_time_counts(marts: Warehouse) -> None:
    add_account(marts, "stays", weeks=range(LAST + 1))
    # Week 8 ends when week 9 starts, and what happens on the 30 days from then on counts.
    add_account(marts, "leaves", weeks=range(13), leaves_on=week(9) + 29 * DAY)
    add_account(marts, "leaves a day later", weeks=range(13), leaves_on=week(9) + 30 * DAY)
    found = observed(marts, EveryWeeks(4, 30))
    assert found["leaves"] == [0, 4, -8, -12]
    assert found["leaves a day later"] == [0, 4, 8, -12]
    assert found["stays"] == [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52]


def test_an_outcome_that_had_no_time_to_happen_is_left_out(marts: Warehouse) -> None:
    add_account(marts, "stays", weeks=range(LAST + 1))
    add_account(marts, "leaves after the last week", weeks=range(LAST + 1), leaves_on=week(LAST + 1) + DAY)
    for account in ("stays", "leaves after the last week"):
        assert observed(marts, EveryWeeks(1, 28), first=50)[account] == [50, 51, 52, 53, 54, 55]


def test_before_renewals_and_departures_accounts_are_looked_at_in_time(marts: Warehouse) -> None:
    # Four weeks before a Monday is the end of a week; a day earlier, the week before is the last.
    add_account(marts, "renews on a Monday", weeks=range(LAST + 1), renews_on=[week(20)])
    add_account(marts, "renews on a Sunday", weeks=range(LAST + 1), renews_on=[week(20) - DAY])
    add_account(marts, "renews and leaves", weeks=range(40), renews_on=[week(20)], leaves_on=week(40))
    found = observed(marts, BeforeRenewals(4))
    assert found["renews on a Monday"] == [15]
    assert found["renews on a Sunday"] == [14]
    assert found["renews and leaves"] == [15, -35]


def test_accounts_that_neither_renew_nor_leave_are_looked_at_every_13_weeks_each_in_weeks_of_its_own(
    marts: Warehouse,
) -> None:
    names = [f"steady {number}" for number in range(40)]
    for name in names:
        add_account(marts, name, weeks=range(LAST + 1))
    found = observed(marts, BeforeRenewals(4))
    assert set(found) == set(names)
    assert all(set(np.diff(np.array(weeks, dtype=int))) == {13} for weeks in found.values())
    assert len({weeks[0] for weeks in found.values()}) > 8


def test_a_range_shorter_than_the_rhythm_looks_at_everybody_once(marts: Warehouse) -> None:
    for number in range(10):
        add_account(marts, f"steady {number}", weeks=range(LAST + 1))
    found = read_observations(marts, Design(week(10), week(14), BeforeRenewals(4)))
    assert found["account_id"].value_counts().tolist() == [1] * 10


def test_whose_contract_is_shorter_than_the_lead_is_looked_at_in_its_first_week(marts: Warehouse) -> None:
    add_account(marts, "since ever", weeks=range(LAST + 1))
    add_account(marts, "left after ten days", weeks=range(20, 22), leaves_on=week(21) + 3 * DAY)
    add_account(marts, "renewed after a fortnight", weeks=range(20, LAST + 1), renews_on=[week(22)])
    add_account(marts, "gone within a week", weeks=range(20, 21), leaves_on=week(20) + 4 * DAY)
    found = observed(marts, BeforeRenewals(4))
    assert found["left after ten days"] == [-20]
    assert found["renewed after a fortnight"] == [20]
    assert "gone within a week" not in found


def test_where_everybody_has_left_the_present_is_the_last_built_week(marts: Warehouse) -> None:
    for number in range(3):
        add_account(marts, f"lapsed {number}", weeks=range(30), ends_on=week(30))
    seen = read_observations(marts, Design(week(0), week(LAST)))
    assert not seen["departs"].any()  # as far as rows go, a successor may still come
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute("insert into cs.scored_weeks values (%s, 'm', 'v', now(), 0)", [week(36)])
    assert observed(marts, BeforeRenewals(4)) == {f"lapsed {number}": [-25] for number in range(3)}


def test_every_departure_is_looked_at_or_has_a_reason(marts: Warehouse) -> None:
    add_account(marts, "stays", weeks=range(LAST + 1))
    add_account(marts, "looked at", weeks=range(30), leaves_on=week(30))
    add_account(marts, "gone within a week", weeks=range(30, 31), leaves_on=week(30) + 4 * DAY)
    add_account(marts, "too early", weeks=range(12), leaves_on=week(12))
    add_account(marts, "too late", weeks=range(50), leaves_on=week(50))
    design = Design(week(10), week(40), BeforeRenewals(4))
    found = count_departures(marts, design, read_observations(marts, design))
    assert found.counts == {LOOKED_AT: 1, TOO_SHORT: 1, BEFORE: 1, AFTER: 1}
    assert (found.known, found.looked_at) == (4, 1)
    assert found.words == (
        "Of all 4 that left, 1 were looked at. The others: 1 customers for less than a full week, 1 left too early for "
        "the weeks looked at, 1 left too late for the weeks looked at."
    )
    rhythm = Design(week(10), week(40), EveryWeeks(4, 7))
    assert count_departures(marts, rhythm, read_observations(marts, rhythm)).counts == {
        TOO_SHORT: 1, AFTER: 1, BETWEEN: 2,
    }  # fmt: skip
    young = Design(week(10), week(40), BeforeRenewals(4), max_tenure_days=0)
    assert count_departures(marts, young, read_observations(marts, young)).counts[TENURE] == 1


def test_a_last_period_that_ended_counts_as_leaving_once_no_successor_can_come(marts: Warehouse) -> None:
    add_account(marts, "stays", weeks=range(LAST + 1))
    add_account(marts, "lapsed", weeks=range(34), ends_on=week(30))
    add_account(marts, "lapsed lately", weeks=range(LAST + 1), ends_on=week(LAST))
    found = observed(marts, EveryWeeks(1, 28), first=24)
    assert found["lapsed"] == [24, 25, -26, -27, -28, -29]
    assert found["lapsed lately"] == list(range(24, 55))  # of later weeks nobody knows yet


def test_leaving_before_a_renewal_or_at_it_and_paying_less_are_outcomes_of_their_own(marts: Warehouse) -> None:
    add_account(marts, "stays", weeks=range(LAST + 1))
    add_account(marts, "breaks off", weeks=range(30), leaves_on=week(30), ends_on=week(30))
    add_account(marts, "does not renew", weeks=range(30), ends_on=week(30))
    add_account(marts, "pays less", weeks=range(LAST + 1))
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute(
            "update marts.fct_subscription_terms set renews_on = ended_on + 60 where account_id = 'breaks off'"
        )
        cursor.execute(
            "update marts.fct_subscription_terms set renews_on = ended_on where account_id = 'does not renew'"
        )
        cursor.execute(
            "update marts.fct_account_weeks set mrr = 100 - 10 * (account_id = 'pays less' and week >= %s)::integer",
            [week(40)],
        )

    def foreseen(outcome: Outcome) -> dict[str, int]:
        found = read_observations(marts, Design(week(0), week(LAST), outcome=outcome))
        found["number"] = (found["week"] - pd.Timestamp(week(0))).dt.days // 7
        return dict(found.loc[found["departs"], ["account_id", "number"]].itertuples(index=False))

    assert foreseen("departure") == {"breaks off": 25, "does not renew": 25}
    assert foreseen("churn") == {"breaks off": 25}
    assert foreseen("non_renewal") == {"does not renew": 25}
    assert foreseen("contraction") == {"pays less": 35}
    looked_at = read_observations(marts, Design(week(0), week(LAST), outcome="churn"))
    assert looked_at.loc[looked_at["account_id"] == "does not renew", "week"].max() < pd.Timestamp(week(26))
    with pytest.raises(UserError, match="There is no outcome 'luck'; expected one of departure, churn"):
        design_of(week(0), week(4), outcome="luck")


def known_after(warehouse: Warehouse, scheme: BeforeRenewals | EveryWeeks) -> dict[str, int]:
    """Days from the Monday of week 30 until the outcome of each account's last observation before then is known."""
    found = read_observations(warehouse, Design(week(0), week(29), scheme))
    last = found.groupby("account_id")["known_on"].last()
    return {str(account): (known_on - pd.Timestamp(week(30))).days for account, known_on in last.items()}


def test_an_outcome_is_known_when_nothing_can_change_it_any_more(marts: Warehouse) -> None:
    add_account(marts, "lapsed", weeks=range(34), ends_on=week(30))
    add_account(marts, "left", weeks=range(30), leaves_on=week(30))
    add_account(marts, "lapsed, and said so", weeks=range(31), ends_on=week(30), leaves_on=week(30) + 5 * DAY)
    add_account(marts, "renewed", weeks=range(LAST + 1), renews_on=[week(30)])
    add_account(marts, "renewed late", weeks=range(LAST + 1), renews_on=[week(30)])
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute(
            "update marts.fct_subscription_terms set successor_started_on = renews_on + 20 "
            "where account_id = 'renewed late' and renews_on is not null"
        )
    departures = {"lapsed": 30, "left": 1, "lapsed, and said so": 6}
    assert known_after(marts, BeforeRenewals(4)) == departures | {"renewed": 1, "renewed late": 21}
    # Week 29 ends when week 30 starts.
    assert known_after(marts, EveryWeeks(1, 7)) == {"lapsed": 30, "left": 7} | dict.fromkeys(
        ("lapsed, and said so", "renewed", "renewed late"), 7
    )


def test_an_observation_holds_what_its_week_knew_and_nothing_later(marts: Warehouse) -> None:
    add_account(marts, "stays", weeks=range(LAST + 1))
    design = Design(week(0), week(20), EveryWeeks(5, 30))
    before = read_observations(marts, design)
    assert before["seat_utilisation"].tolist() == [0.0, 0.05, 0.1, 0.15, 0.2]
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute("update marts.fct_account_weeks set seat_utilisation = 9 where week > %s", [week(20)])
    pd.testing.assert_frame_equal(read_observations(marts, design), before)


def test_what_makes_no_sense_is_refused(marts: Warehouse) -> None:
    with pytest.raises(UserError, match="hold no week yet"):
        weeks_of_marts(marts)
    with pytest.raises(UserError, match="2024-01-02 is a Tuesday"):
        design_of(date(2024, 1, 2), week(5))
    with pytest.raises(UserError, match="lies before the first week"):
        design_of(week(5), week(4))
    with pytest.raises(UserError, match="set one or the other"):
        design_of(week(0), week(4), lead_weeks=4, every_weeks=2)
    with pytest.raises(UserError, match="every is 0"):
        design_of(week(0), week(4), every_weeks=0)
    assert design_of(week(0), week(4), within_days=28).scheme == EveryWeeks(2, 28)
    assert design_of(week(0), week(4)).scheme == BeforeRenewals(4)
