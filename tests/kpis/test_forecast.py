"""Renewal forecasts: from the history of the bands as known at a week's end, with the call of the CSM beside it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.history.scope import Scope
from cs_pipeline.kpis.calls import Call, Renewal, calls_about, record_call, renewal_named
from cs_pipeline.kpis.forecast import PRIOR, record_forecasts
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import add_account, add_account_week, insert, rows, week

WEEK = week(60)
"""It ends on Sunday, 2 March 2025."""
LAST_DAY = WEEK + timedelta(days=6)


def add_renewal(
    warehouse: Warehouse,
    name: str,
    renewal_date: date,
    outcome: str = "open",
    *,
    severity: int = 0,
    mrr: float = 100,
) -> None:
    """A term of a year that renews then, decided on the day; its account had the severity in all weeks before."""
    decided = renewal_date if outcome != "open" else None
    row = {
        "subscription_id": name,
        "renewal_date": renewal_date,
        "account_id": f"account-of-{name}",
        "tier": "pro",
        "mrr": mrr,
        "started_on": renewal_date - timedelta(days=365),
        "outcome": outcome,
        "decided_on": decided,
        "settled_on": decided and decided + timedelta(days=30),
        "gone_on": renewal_date if outcome == "lost" else None,
        "successor_known_on": decided if outcome == "renewed" else None,
    }
    insert(warehouse, "fct_renewals", [row])
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.health_scores (
                week, account_id, model, model_version, is_active, status, score, band, severity, coverage,
                metric_values, points, contributions, points_lost_to_cap, dimension_scores, risks, opportunities
            )
            select
                week::date, %(account)s, 'm', 'v', true, 'scored', 50, 'Band', %(severity)s, 1, '{}', '{}', '{}', 0,
                '{}', '{}', '{}'
            from generate_series(%(last)s::date - 140, %(last)s::date, interval '7 days') as week
            """,
            {
                "account": f"account-of-{name}",
                "severity": severity,
                "last": renewal_date - timedelta(days=renewal_date.weekday()),
            },
        )


@pytest.fixture
def terms(marts: Warehouse) -> Warehouse:
    """Thirty healthy renewals, three of them lost, two critical ones, both lost; two that are 20 days ahead."""
    for nth in range(30):
        add_renewal(marts, f"healthy/{nth}", LAST_DAY - timedelta(days=40 + nth), "lost" if nth < 3 else "renewed")
    for nth in range(2):
        add_renewal(marts, f"critical/{nth}", LAST_DAY - timedelta(days=60), "lost", severity=3)
    add_renewal(marts, "healthy", LAST_DAY + timedelta(days=20))
    add_renewal(marts, "critical", LAST_DAY + timedelta(days=20), severity=3, mrr=300)
    return marts


def forecast(warehouse: Warehouse, subscription: str, of: date = WEEK) -> tuple[object, ...]:
    (found,) = rows(
        warehouse,
        "select history, history_renewed, likelihood, low, high, csm_call from cs.renewal_forecasts "
        f"where subscription_id = '{subscription}' and week = '{of}'",
    )
    return found


@pytest.mark.requirement("S4-21")
def test_a_renewal_is_as_likely_as_those_of_its_band_were_and_few_are_drawn_to_all(terms: Warehouse) -> None:
    (summary,) = record_forecasts(terms, [WEEK], Scope())
    of_all = (27 + 1) / (32 + 2)
    healthy = (27 + PRIOR * of_all) / (30 + PRIOR)
    critical = (0 + PRIOR * of_all) / (2 + PRIOR)
    assert forecast(terms, "healthy")[:3] == (30, 27, pytest.approx(healthy))
    assert forecast(terms, "critical")[:3] == (2, 0, pytest.approx(critical))
    assert (summary.renewals, summary.mrr) == (2, 400)
    assert summary.expected_mrr == pytest.approx(100 * healthy + 300 * critical)
    widths = [high - low for _, _, _, low, high, _ in (forecast(terms, "healthy"), forecast(terms, "critical"))]  # type: ignore[operator]
    assert 0 < widths[0] < widths[1] < 1, "who has fewer like it is less certain"


def test_where_nothing_was_settled_nothing_is_known(marts: Warehouse) -> None:
    add_renewal(marts, "first", LAST_DAY + timedelta(days=20))
    add_renewal(marts, "just lost", LAST_DAY - timedelta(days=20), "lost")
    (summary,) = record_forecasts(marts, [WEEK], Scope())
    assert forecast(marts, "first") == (0, 0, None, None, None, None)
    assert summary.expected_mrr is None


def test_a_past_week_says_what_it_said_whatever_has_happened_since(terms: Warehouse) -> None:
    record_forecasts(terms, [WEEK], Scope())
    before = [forecast(terms, name) for name in ("healthy", "critical")]
    with terms.session() as session, session.cursor() as cursor:
        cursor.execute(
            "update marts.fct_renewals set outcome = 'lost', decided_on = renewal_date, settled_on = renewal_date + 30 "
            "where subscription_id = 'healthy'"
        )
    add_renewal(terms, "later", LAST_DAY + timedelta(days=10), "lost")
    record_forecasts(terms, [WEEK, WEEK + timedelta(weeks=20)], Scope())
    assert [forecast(terms, name) for name in ("healthy", "critical")] == before
    of = rows(terms, f"select subscription_id from cs.renewal_forecasts where week = '{WEEK}' order by 1")
    assert of == [("critical",), ("healthy",), ("later",)], "it was still ahead when the week ended"


def test_what_was_signed_or_had_ended_is_not_ahead_any_more(marts: Warehouse) -> None:
    for name, column, day in (
        ("signed", "successor_known_on", LAST_DAY),
        ("ended", "gone_on", LAST_DAY),
        ("signed after", "successor_known_on", LAST_DAY + timedelta(days=1)),
    ):
        add_renewal(marts, name, LAST_DAY + timedelta(days=20))
        with marts.session() as session, session.cursor() as cursor:
            cursor.execute(f"update marts.fct_renewals set {column} = %s where subscription_id = %s", [day, name])
    add_renewal(marts, "too far ahead", LAST_DAY + timedelta(days=93))
    record_forecasts(marts, [WEEK], Scope())
    assert rows(marts, "select subscription_id from cs.renewal_forecasts") == [("signed after",)]


def test_a_run_of_a_segment_replaces_its_own_forecasts_only(terms: Warehouse) -> None:
    record_forecasts(terms, [WEEK], Scope())
    for name, tier in (("healthy", "pro"), ("critical", "enterprise")):
        add_account_week(terms, f"account-of-{name}", 60, tier=tier)
    with terms.session() as session, session.cursor() as cursor:
        cursor.execute("update cs.renewal_forecasts set likelihood = 0.5")
    record_forecasts(terms, [WEEK], Scope(segment="enterprise"))
    assert forecast(terms, "healthy")[2] == 0.5
    assert forecast(terms, "critical")[2] != 0.5


@pytest.mark.requirement("S4-21")
def test_the_last_call_of_a_csm_before_a_weeks_end_stands_beside_its_forecast(terms: Warehouse) -> None:
    moment = datetime.combine(WEEK, datetime.min.time(), UTC)
    renewal = Renewal("healthy", LAST_DAY + timedelta(days=20))
    with terms.session() as session:
        assert renewal_named(session, "account-of-healthy", moment) == renewal
        for days, likelihood in ((0, 0.2), (6, 0.4), (7, 0.9)):
            record_call(session, renewal, Call(likelihood, "asked them", "olga"), moment + timedelta(days=days))
        record_call(session, Renewal("healthy", date(2024, 3, 22)), Call(0, "the year before", "olga"), moment)
        kept = calls_about(session, "healthy")
    record_forecasts(terms, [WEEK - timedelta(weeks=1), WEEK], Scope())
    assert forecast(terms, "healthy", WEEK - timedelta(weeks=1))[5] is None
    assert forecast(terms, "healthy")[5] == 0.4
    assert list(kept["likelihood"]) == [0.9, 0.4, 0, 0.2]


def test_a_call_that_cannot_be_meant_is_refused_with_what_to_do(terms: Warehouse) -> None:
    now = datetime.combine(LAST_DAY, datetime.min.time(), UTC)
    add_account(terms, "account-of-healthy")
    insert(
        terms,
        "fct_renewals",
        [
            {
                "subscription_id": "second", "renewal_date": LAST_DAY + timedelta(days=9), "started_on": WEEK,
                "account_id": "account-of-healthy", "mrr": 1, "outcome": "open",
            }
        ],
    )  # fmt: skip
    with terms.session() as session:
        with pytest.raises(UserError, match="several renewals ahead; name one of second, healthy"):
            renewal_named(session, "account-of-healthy", now)
        with pytest.raises(UserError, match="No renewal of 'nobody' is ahead; `cs-pipeline kpi forecast`"):
            renewal_named(session, "nobody", now)
        renewal = renewal_named(session, "healthy", now)
        with pytest.raises(UserError, match="Say why"):
            record_call(session, renewal, Call(0.5, " ", "olga"), now)
        with pytest.raises(UserError, match="120 %; expected 0 to 100"):
            record_call(session, renewal, Call(1.2, "sure", "olga"), now)
        assert calls_about(session, "healthy").empty
