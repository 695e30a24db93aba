"""KPIs hold to the worked examples of public documents, and make none of the mistakes that others made.

Every example is a segment (an industry) of its own, and all of them are built at once. Examples are of the month that
ends with January 2025: `before` it and `after` it.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extras import execute_values

from cs_pipeline.kpis.library import load_kpis
from cs_pipeline.kpis.sync import sync_definitions
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.parsed_project import ParsedProject
from tests.conftest import CopyDatabase
from tests.dbt.conftest import LATER, DbtWarehouse, Row, accounts

PRESENT = "2025-02-03T07:00:00Z"
MONTH = "2025-01-01"

# segment: MRR before and after of each customer
POINT_TO_POINT = {
    "ChartMogul rates": [(10, 0), (50, 40), (40, 50)],
    "calcsimpler 107": [(50_000, 65_000), (45_000, 40_000), (3_000, 0), (2_000, 2_000)],
    "calcsimpler 84": [(6_000, 0), (24_000, 20_000), (20_000, 22_000)],
    "askusers": [*[(150, 0)] * 14, (400, 0), (1_700, 700), *[(198, 198)] * 483, (166, 166)],
    "with a new customer": [(100, 100), (0, 900)],
    "all lost": [(100, 0)],
    "nobody before": [(0, 100)],
    "all grew": [(100, 150), (50, 60)],
    "Stripe MRR": [*[(100, 100)] * 100, *[(600 / 12, 600 / 12)] * 50],
    "thirty left": [*[(10, 10)] * 30, (10, 0)],
    "fewer left": [*[(10, 10)] * 29, (10, 0)],
}

# segment: survey, scale, how many gave each score
ANSWERS: dict[str, tuple[str, int, dict[int, int]]] = {
    "Delighted": ("csat", 5, {5: 42, 4: 32, 3: 10, 2: 9, 1: 14}),
    "Intercom": ("csat", 5, {5: 10, 4: 20, 3: 20}),
    "ten points": ("csat", 10, {2: 10, 3: 30, 4: 100, 5: 130, 6: 150, 7: 115, 8: 255, 9: 140, 10: 70}),
    "seven points": ("ces", 7, {1: 80, 2: 210, 3: 140, 4: 110, 5: 160, 6: 180, 7: 120}),
    "DELA": ("nps", 10, {10: 10, 9: 20, 8: 40, 7: 10, 6: 15, 0: 5}),
}

# segment: hours from signup to first value; None: not there yet
FIRST_VALUES: dict[str, list[float | None]] = {
    "all arrived": [200, 10, 60, 20, 100],
    "some wait": [10, 30, None, None],
    "most wait": [10, None, None, None],
    "at 72 hours": [72, 72.001],
}


def revenue() -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Accounts with their periods: what each paid before January 2025, and after it began."""
    for segment, customers in POINT_TO_POINT.items():
        for nth, (before, after) in enumerate(customers):
            account = f"{segment}/{nth:03}"
            common = {"account_id": account, "product": "core", "seats": 1 + nth}
            first = {**common, "subscription_id": f"{account}/a", "mrr": before, "started_on": "2024-12-01"}
            second = {**common, "subscription_id": f"{account}/b", "mrr": after, "started_on": "2025-01-10"}
            if before == after:
                periods = [first]
            else:
                periods = [{**first, "ended_on": "2025-01-10"}] * (before > 0) + [second] * (after > 0)
            yield {"account_id": account, "account_name": account, "industry": segment}, periods


HISTORIES = """
    Syncalytics       | Gold   |  4 | 166.67 | 2023-01-10 | 2024-01-10
    Syncalytics       | Silver |  2 |     60 | 2023-02-15 | 2023-05-10
    Syncalytics       | Gold   |  3 |    150 | 2024-03-05 |
    paid by the year  | core   | 10 |    100 | 2024-01-15 | 2025-01-15
    paid by the year  | core   | 15 |    120 | 2025-01-15 |
    back in month two | core   |  1 |     10 | 2024-01-10 | 2024-02-10
    back in month two | core   |  1 |     10 | 2024-03-20 |
    in one month      | core   |  1 |     10 | 2024-06-02 | 2024-06-28
    not yet           | core   |  1 |     10 | 2025-06-01 |
"""


def histories() -> list[dict[str, Any]]:
    """The periods of HISTORIES."""
    found = []
    for nth, line in enumerate(filter(None, map(str.strip, HISTORIES.splitlines()))):
        account, product, seats, mrr, started_on, ended_on = (part.strip() for part in line.split("|"))
        found.append(
            {
                "subscription_id": f"{account}/{nth}",
                "account_id": account,
                "product": product,
                "seats": int(seats),
                "mrr": float(mrr),
                "started_on": started_on,
                "ended_on": ended_on or None,
            }
        )
    return found


# Terms that renew on 10 January 2025: what was forecast four weeks before, by the band and by the CSM, and what became.
FORECASTS = {"lost": (100, 0.6, 0.1), "kept": (300, 0.9, None), "open": (900, 0.9, 0.9), "unknown": (300, None, None)}


def forecast_terms() -> Iterator[Row]:
    """The terms of FORECASTS, each with what came of it."""
    for name, (mrr, _, _) in FORECASTS.items():
        term = {"subscription_id": name, "account_id": "forecasts", "product": name, "mrr": mrr, "auto_renew": False}
        term |= {"started_on": "2024-02-10", "renews_on": "2025-01-10"}
        yield term | {"ended_on": None if name == "open" else "2025-01-10"}
        if name in ("kept", "unknown"):
            yield {**term, "subscription_id": f"{name}/2", "started_on": "2025-01-10", "renews_on": "2026-01-10"}


# When terms renew of which January ends 90 days before the first of May, each worth more than those before together.
RENEWALS_AHEAD = {
    "2025-01-31": 1,
    "2025-02-01": 2,
    "2025-05-01": 4,
    "2025-05-02": 8,
    "2025-03-10": 16,
    "2025-03-11": 32,
}
SIGNED = {"2025-03-10": "2025-01-31", "2025-03-11": "2025-02-01"}
"""When the next term arrived of two of them: in January, and too late for it."""


def renewals_ahead() -> Iterator[Row]:
    """The terms of RENEWALS_AHEAD."""
    for renews_on, mrr in RENEWALS_AHEAD.items():
        term = {"subscription_id": renews_on, "account_id": "renews soon", "product": renews_on, "mrr": mrr}
        term |= {"auto_renew": False, "ended_on": None}
        yield term | {"started_on": "2024-06-01", "renews_on": renews_on, "_loaded_at": "2024-06-01 10:00Z"}
        if signed := SIGNED.get(renews_on):
            following = {"subscription_id": f"{renews_on}/2", "started_on": renews_on, "renews_on": "2026-03-10"}
            yield term | following | {"_loaded_at": f"{signed} 10:00Z"}


def forecasts() -> Iterator[tuple[Any, ...]]:
    """Rows of cs.renewal_forecasts: those of four weeks before, and earlier and later ones, which are not judged."""
    for name, (mrr, likelihood, called) in FORECASTS.items():
        for week, said in (("2024-11-04", 0.5), ("2024-12-09", likelihood), ("2024-12-30", 0.5)):
            yield week, name, "2025-01-10", "forecasts", mrr, 0, 0, said, called


def advocacy() -> Iterator[tuple[str, Row]]:
    """Rows of what four customers of a segment did, before the month began and in it."""
    for nth, (given, decided, won) in enumerate(((5, 20, True), (6, 21, False), (7, None, None))):
        row = {"reference_id": f"r{nth}", "account_id": f"advocates/{nth}", "kind": "call", "cost": 100}
        row |= {"asked_at": "2024-12-01 10:00Z", "provided_at": f"2025-01-{given:02} 10:00Z", "satisfaction": 3 + nth}
        row |= {"decided_at": decided and f"2025-01-{decided} 10:00Z", "is_won": won, "won_mrr": 50 if won else None}
        yield "customer_references", row
    declined = {"reference_id": "r9", "account_id": "advocates/3", "kind": "quote", "asked_at": "2025-01-02 10:00Z"}
    yield "customer_references", declined
    for nth, published in enumerate(("2025-01-09 10:00Z", None)):
        row = {"case_study_id": f"c{nth}", "account_id": "advocates/0", "agreed_at": "2024-12-01 10:00Z"}
        yield "case_studies", row | {"published_at": published}
    for account in (0, 1):
        row = {"certification_id": f"z{account}", "account_id": f"advocates/{account}", "level": "expert"}
        yield "certifications", row | {"earned_at": "2025-01-09 10:00Z"}
    kinds = {"webinar": (0, 1, 2), "office_hours": (0,), "user_group": (0, 1), "training": (0, 1, 2, 3)}
    for kind, who in kinds.items():
        for account in who:
            row = {"attendance_id": f"{kind}{account}", "account_id": f"advocates/{account}", "kind": kind}
            yield "event_attendance", row | {"occurred_at": "2025-01-09 10:00Z", "has_attended": True}
    for kind in ("webinar", "office_hours", "user_group"):
        absent = {"attendance_id": f"absent {kind}", "account_id": "advocates/3", "kind": kind, "has_attended": False}
        yield "event_attendance", absent | {"occurred_at": "2025-01-09 10:00Z"}
    for account, kind in ((0, "qbr"), (1, "executive_call"), (2, "check_in")):
        row = {"touchpoint_id": f"t{account}", "account_id": f"advocates/{account}", "kind": kind}
        yield "touchpoints", row | {"scheduled_at": "2025-01-09 10:00Z", "held_at": "2025-01-09 10:00Z"}


def answers() -> Iterator[Row]:
    """Each answer of another person, and before them one of each that a later answer takes the place of."""
    for segment, (survey, scale, counts) in ANSWERS.items():
        scores = [score for score, count in counts.items() for _ in range(count)]
        for nth, score in enumerate(scores):
            common = {"account_id": segment, "user_id": f"{segment}/{nth}", "survey": survey, "scale_max": scale}
            yield {**common, "response_id": f"{segment}/{nth}", "score": score, "responded_at": "2025-01-20 10:00Z"}
            if nth < 20:
                key = f"{segment}/{nth}/earlier"
                yield {**common, "response_id": key, "score": scale - score, "responded_at": "2025-01-05 10:00Z"}


def onboarding() -> Iterator[tuple[Row, Row]]:
    """Accounts that signed up on 10 January, with the step of their first value."""
    signed_up = datetime(2025, 1, 10, tzinfo=UTC)
    for segment, hours in FIRST_VALUES.items():
        for nth, after in enumerate(hours):
            account = f"{segment}/{nth}"
            at = None if after is None else signed_up + timedelta(hours=after)
            step = {"account_id": account, "step": "first_value", "position": 1, "completed_at": at, "is_aha": True}
            yield {"account_id": account, "account_name": account, "industry": segment}, step


def by_day_30() -> Iterator[tuple[Row, Row]]:
    """Accounts that signed up on 20 December; one has all its steps when its 30 days are over, one a moment later."""
    signed_up = datetime(2024, 12, 20, 9, tzinfo=UTC)
    for account, late in (("in time", timedelta(0)), ("late", timedelta(seconds=1))):
        step = {"account_id": account, "step": "set_up", "position": 1, "is_aha": False}
        step |= {"completed_at": signed_up + timedelta(days=30) + late}
        yield {"account_id": account, "account_name": account, "industry": "day 30", "created_at": signed_up}, step


@pytest.fixture(scope="module")
def kpis(
    migrated: Warehouse, copy_once: CopyDatabase, dbt_project: ParsedProject, tmp_path_factory: pytest.TempPathFactory
) -> DbtWarehouse:
    """All examples, built."""
    warehouse = copy_once(migrated)
    with warehouse.session() as session:
        sync_definitions(session, load_kpis(None))
    folder = Path(tmp_path_factory.mktemp("kpis"))
    built = DbtWarehouse(warehouse, dbt_project, folder)
    paying, periods = zip(*revenue(), strict=True)
    starting, steps = zip(*onboarding(), *by_day_30(), strict=True)
    told = histories()
    built.load("accounts", *[{"created_at": "2023-01-01 00:00Z", **account} for account in paying])
    built.load("accounts", *[{"created_at": "2025-01-10 00:00Z", **account} for account in starting])
    built.load("accounts", *accounts(*{str(row["account_id"]) for row in told}, created_at="2023-01-01 00:00Z"))
    for segment in ANSWERS:
        built.load("accounts", *accounts(segment, created_at="2023-01-01 00:00Z", industry=segment))
    built.load("subscriptions", *[{"ended_on": None, **row} for rows in periods for row in rows], *told)
    built.load("accounts", *accounts("forecasts", created_at="2023-01-01 00:00Z", industry="forecasts"))
    built.load("accounts", *accounts("renews soon", created_at="2023-01-01 00:00Z", industry="renews soon"))
    built.load("subscriptions", *forecast_terms(), *renewals_ahead())
    names = [f"advocates/{nth}" for nth in range(4)]
    built.load("accounts", *accounts(*names, created_at="2023-01-01 00:00Z", industry="advocates"))
    built.load(
        "subscriptions",
        *[{"subscription_id": name, "account_id": name, "mrr": 1, "started_on": "2024-12-01"} for name in names],
    )
    for table in ("customer_references", "case_studies", "certifications", "event_attendance", "touchpoints"):
        built.load(table, *[row for name, row in advocacy() if name == table])
    with warehouse.session() as session, session.cursor() as cursor:
        execute_values(
            cursor,
            "insert into cs.renewal_forecasts (week, subscription_id, renewal_date, account_id, mrr, history, "
            "history_renewed, likelihood, csm_call) values %s",
            list(forecasts()),
        )
    built.load("survey_responses", *answers())
    built.load("onboarding_progress", *steps)
    built.build("--exclude", *LATER, present=PRESENT)
    built.build_weeks("2025-01-27")
    built.build("--select", "fct_kpis", "path:models/intermediate/kpis", present=PRESENT)
    return built


def values(kpis: DbtWarehouse, segment: str, *names: str, window: int = 1, month: str = MONTH) -> list[float | None]:
    """Values of a segment (an industry), or of `all`."""
    kind = "all" if segment == "all" else "segment"
    found = kpis.rows(
        f"select kpi, value from marts.fct_kpis where segment_kind = '{kind}' and segment = '{segment}' "
        f"and window_months = {window} and month = '{month}'"
    )
    by_name = {row["kpi"]: row["value"] for row in found}
    return [by_name[name] for name in names]


def movements(kpis: DbtWarehouse, account: str) -> list[tuple[str, str, float]]:
    rows = kpis.rows(f"select * from marts.fct_mrr_movements where account_id = '{account}' order by month")
    return [(str(row["month"])[:7], row["movement"], row["mrr_change"]) for row in rows]


@pytest.mark.requirement("S3-75", "S4-145", "S4-147")
def test_example_b_a_cancelled_second_subscription_is_contraction_and_churn_comes_when_the_paid_year_ends(
    kpis: DbtWarehouse,
) -> None:
    assert movements(kpis, "Syncalytics") == [
        ("2023-01", "new", 166.67),
        ("2023-02", "expansion", 60),
        ("2023-05", "contraction", -60),
        ("2024-01", "churn", -166.67),
        ("2024-03", "reactivation", 150),
    ]


@pytest.mark.requirement("S3-72", "S3-73", "S4-141", "S4-142", "S4-144")
@pytest.mark.parametrize(
    ("segment", "nrr", "grr", "churn"),
    [
        ("ChartMogul rates", 0.90, 0.80, 1 / 3),
        ("calcsimpler 107", 1.07, 0.92, 1 / 4),
        ("calcsimpler 84", 0.84, 0.80, 1 / 3),
        ("askusers", 0.965, 0.965, 0.03),
        ("all lost", 0, 0, 1),
    ],
)
def test_examples_c_and_e_retention_of_the_customers_of_the_start(
    kpis: DbtWarehouse, segment: str, nrr: float, grr: float, churn: float
) -> None:
    found = values(kpis, segment, "nrr", "grr", "churn_rate", "logo_retention", "revenue_churn_rate")
    assert found == pytest.approx([nrr, grr, churn, 1 - churn, 1 - grr])


def test_example_d_a_year_paid_at_once_is_a_twelfth_of_it_each_month(kpis: DbtWarehouse) -> None:
    assert values(kpis, "Stripe MRR", "mrr", "arr", "customers") == pytest.approx([12_500, 150_000, 150])


@pytest.mark.requirement("S4-150", "S4-52", "C-35")
@pytest.mark.parametrize(
    ("segment", "share", "mean"),
    [("Delighted", 74 / 107, 400 / 107 / 5), ("Intercom", 0.60, 0.76), ("ten points", 0.465, 0.6865)],
)
def test_example_f_satisfaction_is_the_upper_fifths_of_the_scale(
    kpis: DbtWarehouse, segment: str, share: float, mean: float
) -> None:
    assert values(kpis, segment, "csat_score", "csat_mean") == pytest.approx([share, mean])


@pytest.mark.requirement("S4-151")
def test_example_g_effort_on_seven_points(kpis: DbtWarehouse) -> None:
    assert values(kpis, "seven points", "ces_score", "ces_easy_share") == pytest.approx([4.08, 0.46])


@pytest.mark.requirement("S3-74", "S4-149", "C-34")
def test_example_h_promoters_less_detractors_of_whom_zero_is_one(kpis: DbtWarehouse) -> None:
    (row,) = kpis.rows(
        f"select * from marts.fct_kpis where kpi = 'nps_score' and segment = 'DELA' and window_months = 1 "
        f"and month = '{MONTH}'"
    )
    assert (row["value"], row["n"]) == (10, 100)
    margin = 1.96 * ((0.3 + 0.2 - 0.1**2) / 99) ** 0.5 * 100
    assert (row["low"], row["high"]) == pytest.approx((10 - margin, 10 + margin))


@pytest.mark.requirement("S3-71", "S4-153", "S5-43")
@pytest.mark.parametrize(
    ("segment", "median", "share"), [("all arrived", 60, 3 / 5), ("some wait", 30, 1 / 2), ("at 72 hours", 72, 1 / 2)]
)
def test_time_to_value_is_the_plain_median_when_all_arrived_and_counts_who_still_waits(
    kpis: DbtWarehouse, segment: str, median: float, share: float
) -> None:
    assert values(kpis, segment, "time_to_first_value", "first_value_in_72h") == pytest.approx([median, share])


def test_the_median_is_unknown_while_most_still_wait(kpis: DbtWarehouse) -> None:
    assert values(kpis, "most wait", "time_to_first_value", "first_value_in_72h") == [None, 0.25]


@pytest.mark.requirement("S3-70", "S5-46")
def test_onboarding_is_complete_with_the_last_moment_of_day_30_and_not_after_it(kpis: DbtWarehouse) -> None:
    assert values(kpis, "day 30", "onboarding_completion") == [1 / 2]


@pytest.mark.requirement("S4-176", "S4-177")
def test_renewals_ahead_are_those_from_tomorrow_to_the_90th_day(kpis: DbtWarehouse) -> None:
    assert values(kpis, "renews soon", "upcoming_renewals", "upcoming_renewal_mrr") == [3, 2 + 4 + 32]


@pytest.mark.requirement("S4-21")
def test_a_renewal_that_is_still_open_is_neither_kept_nor_lost(kpis: DbtWarehouse) -> None:
    assert values(kpis, "forecasts", "renewal_rate", "renewal_rate_possible") == pytest.approx([2 / 3, 3 / 4])


@pytest.mark.requirement("S3-76")
def test_lifetime_value_times_churn_is_margin_of_what_a_customer_pays(kpis: DbtWarehouse) -> None:
    found = values(kpis, "askusers", "ltv", "monthly_churn_rate", window=12)
    (arpa,) = values(kpis, "askusers", "arpa")
    ltv, churn = map(float, filter(None, found))
    assert arpa
    assert ltv * churn == pytest.approx(arpa * 0.8)
    assert values(kpis, "ChartMogul rates", "ltv", window=12) == [None]  # three customers tell nothing
    assert values(kpis, "fewer left", "ltv", window=12) == [None]  # nor do 29
    assert values(kpis, "thirty left", "ltv", window=12) == pytest.approx([10 * 0.8 * 31])


# What others got wrong, one test each -----------------------------------------------------------------------------


def test_dbt_recurly_a_year_paid_at_once_is_no_month_of_twelve_fold_revenue_and_eleven_without(
    kpis: DbtWarehouse,
) -> None:
    assert movements(kpis, "paid by the year") == [("2024-01", "new", 100), ("2025-01", "expansion", 20)]
    assert kpis.column(
        "select count(distinct mrr) from marts.fct_account_months "
        "where account_id = 'paid by the year' and month between '2024-01-01' and '2024-12-01'"
    ) == [1]


def test_dbt_stripe_todays_price_and_seats_leave_the_months_before_as_they_were(kpis: DbtWarehouse) -> None:
    paid = kpis.rows(
        "select mrr::float, seats from marts.fct_account_months "
        "where account_id = 'paid by the year' and mrr > 0 order by month"
    )
    assert [(row["mrr"], row["seats"]) for row in paid] == [(100, 10)] * 12 + [(120, 15)] * 2


def test_mattermost_and_gitlab_no_month_lies_ahead_of_the_present_whatever_the_calendar_says(
    kpis: DbtWarehouse,
) -> None:
    for mart in ("fct_account_months", "fct_mrr_movements", "fct_mrr_bridge", "fct_kpis"):
        assert kpis.column(f"select max(month)::text from marts.{mart}") in (["2025-02-01"], [MONTH]), mart
    assert movements(kpis, "not yet") == []
    assert kpis.column("select distinct is_complete from marts.fct_kpis where month = '2025-02-01'") == [False]
    days = kpis.column("select distinct as_of_day::text from marts.fct_kpis where month = '2025-02-01'")
    assert days == [PRESENT[:10]]


def test_dbt_stripe_who_comes_back_in_the_third_month_is_back_not_unknown(kpis: DbtWarehouse) -> None:
    assert [kind for _, kind, _ in movements(kpis, "back in month two")] == ["new", "churn", "reactivation"]


def test_mrr_playbook_the_first_month_of_all_data_is_new_and_one_bought_and_left_within_is_nothing(
    kpis: DbtWarehouse,
) -> None:
    first = kpis.column("select min(month)::text from marts.fct_mrr_movements")
    assert kpis.column(f"select distinct movement from marts.fct_mrr_movements where month = '{first[0]}'") == ["new"]
    assert movements(kpis, "in one month") == []


def test_new_customers_are_not_in_net_retention(kpis: DbtWarehouse) -> None:
    assert values(kpis, "with a new customer", "nrr", "grr", "logo_retention") == [1, 1, 1]
    assert kpis.column(
        f"select count(*) from marts.fct_kpis where kpi = 'nrr' and segment = 'nobody before' and month = '{MONTH}'"
    ) == [0]


def test_gross_retention_is_one_and_no_more_where_everybody_grew(kpis: DbtWarehouse) -> None:
    assert values(kpis, "all grew", "nrr", "grr", "revenue_churn_rate") == pytest.approx([210 / 150, 1, 0])


def test_a_ratio_of_parts_is_made_of_their_sums_not_of_their_ratios(kpis: DbtWarehouse) -> None:
    whole, parts = (
        kpis.rows(
            "select sum(numerator) / sum(denominator) as ratio, avg(value) as mean from marts.fct_kpis "
            f"where kpi = 'nrr' and segment_kind = '{kind}' and window_months = 1 and month = '{MONTH}'"
        )[0]
        for kind in ("all", "segment")
    )
    assert whole["ratio"] == pytest.approx(parts["ratio"])
    assert abs(whole["ratio"] - parts["mean"]) > 0.01


# -------------------------------------------------------------------------------------------------------------------


def test_nothing_divided_by_nothing_is_unknown(kpis: DbtWarehouse) -> None:
    assert values(kpis, "all lost", "arpa", "quick_ratio", "mrr") == [None, 0, 0]
    assert values(kpis, "nobody before", "expansion_rate", "quick_ratio", "mrr") == [None, None, 100]


def test_a_part_whose_last_customer_has_left_still_tells_what_it_lost(kpis: DbtWarehouse) -> None:
    assert values(kpis, "all lost", "churned_mrr", "mrr_growth", window=1) == [100, -1]
    (lost,) = kpis.rows(
        "select sum(numerator) filter (where segment_kind = 'all') as whole, "
        "sum(numerator) filter (where segment_kind = 'segment') as parts "
        f"from marts.fct_kpis where kpi = 'churned_mrr' and window_months = 12 and month = '{MONTH[:5]}02-01'"
    )
    assert lost["whole"] == lost["parts"] > 0


@pytest.mark.requirement("S4-21")
def test_forecasts_about_30_days_ahead_are_held_against_what_became_of_the_renewals(kpis: DbtWarehouse) -> None:
    accuracy, brier, called, called_brier = values(
        kpis, "forecasts", "forecast_accuracy", "forecast_brier", "csm_call_accuracy", "csm_call_brier"
    )
    assert accuracy == pytest.approx(1 - abs(100 * 0.6 + 300 * 0.9 - 300) / 400)
    assert brier == pytest.approx((0.6**2 + 0.1**2) / 2)
    assert called == pytest.approx(0.9)  # the CSM expected 10 of 100, and none came
    assert called_brier == pytest.approx(0.1**2)


@pytest.mark.requirement("S4-137", "S4-138", "S4-139", "S4-140", "S4-158", "S4-159")
def test_the_reference_program_counts_what_was_given_and_what_it_won(kpis: DbtWarehouse) -> None:
    assert values(
        kpis, "advocates", "references_provided", "reference_conversion", "advocate_satisfaction", "reference_roi",
        "reference_participation", "case_study_count",
    ) == pytest.approx([3, 1 / 2, 4 / 5, (50 * 12 - 300) / 300, 3 / 4, 1])  # fmt: skip


@pytest.mark.requirement("S4-53", "S4-54", "S4-55", "S4-56", "S4-57", "S4-160")
def test_programs_count_the_customers_that_took_part(kpis: DbtWarehouse) -> None:
    assert values(
        kpis, "advocates", "webinar_participation", "office_hours_participation", "user_group_participation",
        "certified_customers", "review_coverage", "community_engagement",
    ) == pytest.approx([3 / 4, 1 / 4, 2 / 4, 2 / 4, 2 / 4, 3 / 4])  # fmt: skip


@pytest.mark.requirement("S5-41", "S5-42", "C-42")
def test_targets_stand_beside_the_windows_they_are_for(kpis: DbtWarehouse) -> None:
    judged: Sequence[Row] = kpis.rows(
        "select kpi, window_months, meets_target from marts.fct_kpis where segment_kind = 'all' "
        f"and kpi in ('nrr', 'nps_score', 'time_to_first_value') and month = '{MONTH}' and meets_target is not null"
    )
    assert {(row["kpi"], row["window_months"]): row["meets_target"] for row in judged} == {
        ("nrr", 12): True,
        ("nps_score", 12): False,
        ("time_to_first_value", 3): False,
    }
