"""The page of renewals: which come, what is at risk of them, and what is planned until then."""

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from cs_pipeline.errors import UserError
from cs_pipeline.reports.accounts.renewals import SORTS, RenewalQuestion, Renewals, renewals
from cs_pipeline.reports.kpis.forecast import accuracy_of_quarter, forecast_by_month, renewals_ahead
from tests.builders.site import ACTOR, HOSTILE, Sample
from tests.site.test_forms import submit


def asked(sample: Sample, limit: int = 500, **question: Any) -> Renewals:
    with sample.warehouse.session() as session:
        return renewals(session, RenewalQuestion(**question), sample.today, limit)


def test_renewals_of_the_next_days_stand_with_what_they_are_worth(sample: Sample) -> None:
    found = asked(sample, within=180)
    known = sample.history.rows(
        f"""
        select account_id, renewal_date, arr, coalesce(scores.is_at_risk, false)
        from cs.account_overview
        left join cs.active_scores as scores using (account_id, week)
        where renewal_date between date '{sample.today}' - 30 and date '{sample.today}' + 180
        """
    )
    assert len(known) > 10
    assert {(row["account_id"], row["renewal_date"]) for row in found.rows} == {row[:2] for row in known}
    for row in found.rows:
        assert row["days_left"] == (row["renewal_date"] - sample.today).days
    for span in found.spans:
        first, last = (-30, -1) if span["days"] == 0 else (0, span["days"])
        within = [
            row
            for row in known
            if sample.today + timedelta(first) <= row[1] <= sample.today + timedelta(last)  # type: ignore[operator]
        ]
        assert span["count"] == len(within)
        assert span["arr"] == pytest.approx(sum(float(str(row[2])) for row in within))
        at_risk = [row for row in within if row[3]]
        assert span["arr_at_risk"] == pytest.approx(sum(float(str(row[2])) for row in at_risk))


def test_each_renewal_says_which_window_it_is_in_and_what_is_planned(changing: Sample) -> None:
    soonest = next(row for row in asked(changing).rows if row["renewal_window"])
    windows = changing.history.rows(
        f"select renewal_window from cs.renewal_windows where account_id = '{soonest['account_id']}' "
        f"and renewal_date = '{soonest['renewal_date']}' order by opens_on desc limit 1"
    )
    assert (soonest["renewal_window"],) == windows[0]
    action = changing.history.rows("select min(action_id) from cs.actions where status = 'planned'")[0][0]
    changing.history.rows(
        f"update cs.actions set account_id = '{soonest['account_id']}', due_at = '2020-01-01', step = 'call_them' "
        f"where action_id = {action}"
    )
    again = next(row for row in asked(changing).rows if row["account_id"] == soonest["account_id"])
    assert (again["next_step"], again["next_status"]) == ("call_them", "planned")


def test_renewals_are_narrowed_sorted_and_paged(sample: Sample, reader: TestClient) -> None:
    for sort in SORTS:
        whole = [row["account_id"] for row in asked(sample, within=180, sort=sort).rows]
        pages = [asked(sample, 4, within=180, sort=sort, page=page) for page in range(len(whole) // 4 + 1)]
        assert [row["account_id"] for page in pages for row in page.rows] == whole
        assert [page.has_next for page in pages][:-1] == [True] * (len(pages) - 1)
    rows = asked(sample, within=180).rows
    mine = asked(sample, within=180, owner=rows[0]["owner_email"].upper()).rows
    assert {row["owner_email"] for row in mine} == {rows[0]["owner_email"]}
    assert {row["renewal_type"] for row in asked(sample, within=180, type="manual").rows} == {"manual"}
    assert {row["is_at_risk"] for row in asked(sample, within=180, at_risk=True).rows} == {True}
    wrong: tuple[dict[str, Any], ...] = ({"sort": "x"}, {"type": "x"})
    for question in wrong:
        with pytest.raises(UserError, match=r"is 'x'; expected"):
            asked(sample, **question)
    assert "No renewal fits." in reader.get("/renewals?owner=nobody@ours.example").text
    assert "The list is shorter than that." in reader.get("/renewals?page=150").text
    assert reader.get("/renewals?within=7&page=x").status_code == 200


def test_an_account_that_renewed_late_is_overdue(changing: Sample) -> None:
    changing.history.rows(
        f"update cs.account_overview set renewal_date = date '{changing.today}' - 3 "
        f"where account_id = '{changing.account}'"
    )
    first = asked(changing).rows[0]
    assert (first["account_id"], first["days_left"]) == (changing.account, -3)
    assert asked(changing).spans[0]["count"] == 1


def test_each_renewal_says_how_likely_it_is_and_months_what_they_bring(changing: Sample, actor: TestClient) -> None:
    sample = changing
    sample.history.rows(
        "update marts.fct_kpis set window_months = 3 where kpi in ('forecast_accuracy', 'csm_call_accuracy')"
    )
    rows = [row for row in asked(sample).rows if row["terms"]]
    assert rows
    forecasts = {
        str(account): (float(str(likelihood)), float(str(arr)))
        for account, likelihood, arr in sample.history.rows(
            """
            select forecasts.account_id, sum(forecasts.mrr * forecasts.likelihood) / sum(forecasts.mrr), sum(12 * mrr)
            from cs.renewal_forecasts as forecasts
            inner join cs.account_overview as overview using (account_id, renewal_date)
            where forecasts.week = (select max(week) from cs.renewal_forecasts)
            group by 1
            """
        )
    }
    for row in rows:
        likelihood, arr = forecasts[row["account_id"]]
        assert row["likelihood"] == pytest.approx(likelihood)
        assert row["low"] <= row["likelihood"] <= row["high"]
        assert sum(term["arr"] for term in row["terms"]) == pytest.approx(arr)
    with sample.warehouse.session() as session:
        months = forecast_by_month(session)
        narrowed = [
            forecast_by_month(session, "nobody@ours.example"),
            *(forecast_by_month(session, type=type) for type in ("auto", "manual")),
            forecast_by_month(session, at_risk=True),
            forecast_by_month(session, until=sample.today + timedelta(days=30)),
        ]
        accuracy = accuracy_of_quarter(session)
        ahead = renewals_ahead(session)
    assert [month["month"] for month in months] == sorted(month["month"] for month in months)
    assert sum(month["renewals"] for month in months) == ahead.renewals
    assert sum(month["expected"] for month in months) == pytest.approx(12 * (ahead.expected_mrr or 0))
    counted = sample.history.rows(
        f"""
        select
            count(*) filter (where overview.owner_email = 'nobody@ours.example'),
            count(*) filter (where overview.renewal_type = 'auto'),
            count(*) filter (where overview.renewal_type = 'manual'),
            count(*) filter (where overview.is_at_risk),
            count(*) filter (where forecasts.renewal_date <= date '{sample.today}' + 30)
        from cs.renewal_forecasts as forecasts
        inner join cs.account_overview as overview using (account_id)
        where forecasts.week = (select max(week) from cs.renewal_forecasts)
        """
    )
    assert [sum(month["renewals"] for month in each) for each in narrowed] == [*counted[0]]
    assert len({*counted[0], ahead.renewals}) > 3
    text = actor.get("/renewals").text
    assert "% right</a> in ARR" in text
    assert set(accuracy) == {"forecast_accuracy", "csm_call_accuracy"}
    assert "No renewal is forecast of these accounts." in actor.get("/renewals?owner=nobody@ours.example").text
    soon, risky = (actor.get(f"/renewals?{question}").text for question in ("within=30", "at_risk=1"))
    assert "of the next 30 days" in soon
    assert 'id="forecast">Forecast, at risk<' in risky


def test_a_csm_says_what_they_expect_of_a_renewal_and_it_stands_beside_the_forecast(
    changing: Sample, actor: TestClient
) -> None:
    row = next(row for row in asked(changing).rows if row["terms"])
    term = row["terms"][0]
    told = submit(
        actor, "/do/renewals/call", back="/renewals", subscription=term["subscription_id"], percent=40, reason=HOSTILE
    )
    assert told.startswith(f"40% for the renewal of {term['subscription_id']} on {row['renewal_date']}")
    again = next(each for each in asked(changing).rows if each["account_id"] == row["account_id"])
    assert (again["terms"][0]["call"], again["terms"][0]["reason"], again["terms"][0]["by"]) == (0.4, HOSTILE, ACTOR)
    assert again["likelihood"] == row["likelihood"]
    with changing.warehouse.session() as session:
        month = next(each for each in forecast_by_month(session) if each["called"])
    difference = term["arr"] * (0.4 - row["likelihood"]) if len(row["terms"]) == 1 else None
    if difference is not None:
        assert month["by_csm"] - month["expected"] == pytest.approx(difference)
    for fields, said in (
        ({"percent": ""}, "0 to 100"),
        ({"percent": 140}, "expected 0 to 100"),
        ({"reason": ""}, "why"),
    ):
        asks = {"percent": 40, "reason": "x", **fields}
        assert said in submit(actor, "/do/renewals/call", subscription=term["subscription_id"], **asks)
