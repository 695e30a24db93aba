"""The book: every account can be found, filtered, sorted and paged through, by its address."""

from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from cs_pipeline.errors import UserError
from cs_pipeline.history.account_overview import write_overview
from cs_pipeline.reports.accounts import book
from cs_pipeline.reports.accounts.book import SORTS, Question, accounts_by_band, book_page, choices
from cs_pipeline.reports.accounts.renewals import RenewalQuestion, renewals
from cs_pipeline.reports.accounts.today import today_of
from tests.builders.site import HEADER, Sample, client_of


def ids(sample: Sample, **question: Any) -> list[str]:
    with sample.warehouse.session() as session:
        page = book_page(session, Question(**question), sample.today, 1_000)
    return [row["account_id"] for row in page.rows]


def column(sample: Sample, sql: str) -> list[Any]:
    return [row[0] for row in sample.history.rows(sql)]


def test_the_weekly_job_writes_every_account_of_the_newest_week_as_it_was_scored(sample: Sample) -> None:
    written = sample.history.rows(
        "select account_id, week, score, band, is_at_risk, change from cs.account_overview order by 1"
    )
    scored = sample.history.rows(
        """
        select weeks.account_id, weeks.week, scores.score, scores.band, coalesce(scores.is_at_risk, false),
            coalesce(changes.delta, 0)
        from marts.fct_account_weeks as weeks
        left join cs.active_scores as scores using (account_id, week)
        left join cs.score_changes as changes using (account_id, week)
        where weeks.week = (select max(week) from cs.health_scores)
        order by 1
        """
    )
    assert len(written) > 50
    assert written == scored


@pytest.mark.parametrize("sort", SORTS)
def test_paging_shows_each_account_once_in_the_order_of_all(sample: Sample, sort: str) -> None:
    whole = ids(sample, sort=sort)
    paged: list[str] = []
    after: str | None = ""
    while after is not None and len(paged) <= len(whole):
        with sample.warehouse.session() as session:
            page = book_page(session, Question(sort=sort, after=after), sample.today, 7)
        paged += [row["account_id"] for row in page.rows]
        after = page.after or None
    assert paged == whole
    assert len(set(whole)) == len(whole)


def test_accounts_are_found_by_any_part_of_their_name_and_by_their_id(sample: Sample) -> None:
    rows = sample.history.rows("select account_id, account_name from cs.account_overview order by 1 limit 5")
    for account_id, name in rows[1:]:
        assert account_id in ids(sample, search=str(name)[2:].upper())
        assert ids(sample, search=account_id) == [account_id]
    assert ids(sample, search="%") == []
    assert ids(sample, search="_") == []
    assert ids(sample, search="\\") == []
    (name,) = rows[0][1:]
    assert ids(sample, search=str(name)[:9].upper(), sort="name") == ids(sample, search=str(name)[:9], sort="name")


@pytest.mark.parametrize(
    ("filters", "condition"),
    [
        ({"at_risk": "1"}, "(account_id, week) in (select account_id, week from cs.active_scores where is_at_risk)"),
        ({"tier": "pro"}, "tier = 'pro'"),
        ({"falls": "1"}, "change <= -1"),
        ({"renews": "90"}, "renewal_date between {today} and {today} + 90"),
        ({"alerts": "1"}, "account_id in (select account_id from cs.alerts)"),
        ({"falls": "1", "tier": "enterprise"}, "change <= -1 and tier = 'enterprise'"),
    ],
)
def test_filters_choose_the_accounts_that_they_name(sample: Sample, filters: dict[str, str], condition: str) -> None:
    today = f"date '{sample.today}'"
    wanted = column(sample, f"select account_id from cs.account_overview where {condition.format(today=today)}")
    assert sorted(ids(sample, filters=filters)) == sorted(wanted)
    assert wanted
    assert len(wanted) < 80


@pytest.mark.requirement("C-10")
def test_at_risk_is_whom_the_score_model_calls_so_on_every_page(changing: Sample) -> None:
    def counted() -> tuple[int, int, set[str], float]:
        with changing.warehouse.session() as session:
            day = today_of(session, None, {}, changing.now)
            coming = renewals(session, RenewalQuestion(within=180, at_risk=True), changing.today, 500)
        found = set(ids(changing, filters={"at_risk": "1"}))
        return len(found), day.counts["at_risk"], found, sum(span["arr_at_risk"] for span in coming.spans)

    before = counted()
    assert before[0] == before[1] > 0
    changing.history.rows("update cs.score_models set definition = jsonb_set(definition, '{at_risk_from}', '3')")
    write_overview(changing.warehouse)
    after = counted()
    assert after[2] == set(column(changing, "select account_id from cs.account_overview where severity = 3"))
    assert after[0] == after[1] < before[0]
    assert after[3] < before[3]
    well = min(before[2] - after[2])
    with client_of(changing) as client:
        assert ">at risk<" not in client.get(f"/accounts/{well}").text
        assert ">at risk<" in client.get(f"/accounts/{min(after[2])}").text


def test_a_question_that_makes_no_sense_is_refused_in_a_sentence(sample: Sample) -> None:
    for question in ({"sort": "x"}, {"filters": {"colour": "red"}}, {"filters": {"renews": "soon"}}):
        with pytest.raises(UserError, match=r"'(x|colour|soon)'"):
            ids(sample, **question)
    for after in ("", "x", "x|y", "nan|", "\0|"):
        assert ids(sample, after=after, sort="renewal")


def test_more_accounts_than_are_counted_are_not_counted_one_by_one(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "COUNTED", 10)
    with sample.warehouse.session() as session:
        page = book_page(session, Question(), sample.today, 5)
    assert (page.count, page.is_more) == (10, True)


def test_choices_and_bands_are_those_that_accounts_have(sample: Sample) -> None:
    with sample.warehouse.session() as session:
        found, bands = choices(session), accounts_by_band(session)
    assert set(found["tier"]) == {"starter", "pro", "enterprise"}
    assert found["band"][0] in ("Red", "Critical")
    assert sum(row["accounts"] for row in bands) == len(ids(sample))


def test_my_accounts_are_those_of_whoever_asks(sample: Sample, reader: TestClient) -> None:
    assert "My accounts" not in reader.get("/accounts").text
    (owner,) = column(sample, "select owner_email from cs.account_overview order by owner_email limit 1")
    with client_of(sample, acts=True) as client:
        client.headers[HEADER] = str(owner)
        text = client.get("/accounts?owner=me").text
    mine = column(sample, f"select account_id from cs.account_overview where owner_email = '{owner}'")
    assert all(f"/accounts/{account}" in text for account in mine)
    assert text.count('class="account"') == len(mine)


def test_a_search_without_a_match_says_what_to_do(reader: TestClient) -> None:
    text = reader.get(f"/accounts?search={quote('nobody has this name')}").text
    assert "No account fits." in text
    assert "show all accounts" in text
