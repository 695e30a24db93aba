"""The page of an account, and that of a day."""

from urllib.parse import quote

from starlette.testclient import TestClient

from cs_pipeline.reports.accounts.account import account_page
from cs_pipeline.reports.accounts.today import SHOWN, today_of
from cs_pipeline.reports.plays.work_queue import work_queue
from cs_pipeline.site.score_chart import score_chart
from cs_pipeline.site.sparkline import polyline
from tests.builders.alerts import fire
from tests.builders.site import Sample


def test_the_page_tells_what_the_rows_say(sample: Sample) -> None:
    with sample.warehouse.session() as session:
        page = account_page(session, sample.account, {}, sample.now)
    (scores,) = sample.history.rows(
        f"select count(*) from cs.health_scores where is_active and account_id = '{sample.account}'"
    )
    assert (len(page.scores),) == scores
    assert [row["week"] for row in page.scores] == sorted(row["week"] for row in page.scores)
    assert (
        page.scores[-1]["score"]
        == sample.history.rows(f"select score from cs.account_overview where account_id = '{sample.account}'")[0][0]
    )
    assert all(round(row["from_score"] + row["delta"], 6) == round(row["to_score"], 6) for row in page.changes)
    assert {row["kind"] for row in page.timeline} >= {"alert", "play", "call"}
    moments = [row["at"] for row in page.timeline]
    assert moments == sorted(moments, reverse=True)
    assert [row["alert_id"] for row in page.alerts]
    assert page.plays
    assert page.planned
    assert page.contacts


def test_the_page_shows_how_likely_the_account_is_to_leave(changing: Sample, actor: TestClient) -> None:
    changing.history.rows("delete from cs.score_calibrations")
    assert "Leaves within 90 days" not in actor.get(f"/accounts/{changing.account}").text
    changing.history.rows(
        """
        insert into cs.score_calibrations (
            week, model, model_version, observations, departures, score_from, likelihood, low, high
        )
        select distinct week, model, model_version, 400, 40, '{0}'::float8[], '{0.2}'::float8[],
            '{0.15}'::float8[], '{0.26}'::float8[]
        from cs.health_scores
        """
    )
    shown = " ".join(actor.get(f"/accounts/{changing.account}").text.split())
    assert "<dt>Leaves within 90 days</dt><dd>20" in shown
    assert "of those with such a score did" in shown


def test_what_was_not_sent_says_why(changing: Sample) -> None:
    changing.history.rows(
        f"update cs.actions set status = 'suppressed', reason = 'bad_fit' where account_id = '{changing.account}'"
    )
    with changing.warehouse.session() as session:
        page = account_page(session, changing.account, {}, changing.now)
    assert {row["why"] for row in page.not_sent} == {"asks or offers; the product does not fit this customer"}
    assert page.planned == []


def test_an_account_that_is_not_there_is_said_in_a_sentence(reader: TestClient) -> None:
    answer = reader.get("/accounts/no-such-account")
    assert answer.status_code == 404
    assert "There is no account" in answer.text
    assert reader.get(f"/accounts/{quote('a/b', safe='')}").status_code == 404


def test_the_day_of_an_owner_is_of_their_accounts(sample: Sample) -> None:
    (owner,) = sample.history.rows(
        f"select owner_email from cs.account_overview where account_id = '{sample.account}'"
    )[0]
    with sample.warehouse.session() as session:
        mine = today_of(session, str(owner), {}, sample.now)
        everybody = today_of(session, None, {}, sample.now)
        nobody = today_of(session, "nobody@ours.example", {}, sample.now)
        asked = work_queue(session, sample.now, None, 12)
    assert sample.account in {row["account_id"] for row in mine.alerts}
    assert set(mine.queue["owner"]) == {owner}
    assert everybody.queue["at_stake"].is_monotonic_decreasing
    assert len(set(everybody.queue["account_id"]) & set(asked["account_id"])) > 8  # ARR may have changed since the week
    assert everybody.counts["alerts"] == len(everybody.alerts)
    assert {row["severity"] for row in everybody.alerts} == {"urgent", "high"}
    assert nobody.queue.empty
    assert nobody.counts == dict.fromkeys(everybody.counts, 0)


def test_alerts_that_somebody_has_taken_or_put_off_are_not_of_the_day(changing: Sample) -> None:
    alert = fire(changing.warehouse, "late", changing.account, "", fired_at=changing.now)

    def waits() -> bool:
        with changing.warehouse.session() as session:
            return alert in {row["alert_id"] for row in today_of(session, None, {}, changing.now).alerts}

    assert waits()
    for taken in ("acknowledged_at = now()", "acknowledged_at = null, is_held = true"):
        changing.history.rows(f"update cs.alerts set {taken} where alert_id = {alert}")
        assert not waits()


def test_a_day_shows_what_is_urgent_and_tells_of_the_rest_by_count(changing: Sample, actor: TestClient) -> None:
    changing.history.rows("update cs.alerts set acknowledged_at = now()")
    account, now = changing.account, changing.now
    for number in range(14):
        fire(changing.warehouse, "late", account, f"{number}", severity="high", fired_at=now)
    urgent = fire(changing.warehouse, "late", account, "now", severity="urgent", fired_at=now)
    for number in range(3):
        fire(changing.warehouse, "late", account, f"m{number}", severity="medium", fired_at=now)
    for number, severity in enumerate(("urgent", "urgent", "low", "medium")):
        fire(changing.warehouse, "old", account, f"{number}", severity=severity, fired_at=now, is_baseline=True)
    with changing.warehouse.session() as session:
        day = today_of(session, None, {}, now)
    assert (day.counts["alerts"], day.counts["lesser_alerts"], day.counts["baseline_alerts"]) == (15, 3, 4)
    assert (len(day.alerts), day.alerts[0]["alert_id"]) == (SHOWN, urgent)
    assert {row["rule"] for row in day.alerts} == {"late"}
    page = actor.get("/today").text
    for told, count in (
        ("severity=urgent,high&amp;baseline=0", 15), ("severity=medium,low&amp;baseline=0", 3), ("baseline=1", 4)
    ):  # fmt: skip
        address = f"/alerts?show=untaken&amp;{told}"
        assert f'href="{address}"' in page
        assert f"{count} alerts fit" in actor.get(address.replace("&amp;", "&")).text


def test_a_chart_breaks_where_a_week_has_no_score(sample: Sample) -> None:
    with sample.warehouse.session() as session:
        scores = account_page(session, sample.account, {}, sample.now).scores
    whole = score_chart(scores)
    assert whole is not None
    assert len(whole.lines) == 1
    assert len(whole.dots) == len(scores)
    scores[5] = {**scores[5], "score": None}
    broken = score_chart(scores)
    assert broken is not None
    assert len(broken.lines) == 2
    assert score_chart(scores[:1]) is None
    assert score_chart([]) is None


def test_a_small_line_stays_within_its_picture() -> None:
    assert polyline([0, 100, 250], low=0, high=100, width=104, height=24) == "2.0,22.0 52.0,2.0 102.0,2.0"
    assert polyline([1], low=0, high=100) == ""
