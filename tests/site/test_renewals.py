"""The page of renewals: which come, what is at risk of them, and what is planned until then."""

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from cs_pipeline.errors import UserError
from cs_pipeline.reports.accounts.renewals import SORTS, RenewalQuestion, Renewals, renewals
from tests.builders.site import Sample


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
