"""The figures of the sample company are those that pandas computes from its rows, whole and by tier.

What retention and revenue come to is held elsewhere: against contracts in `tests/dbt/test_contract_identities.py`,
against public examples in `tests/dbt/test_kpis.py`.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tests.builders.sample_history import History

WINDOWS = (1, 3, 12)
PLACE = ["part", "month"]


@dataclass(frozen=True)
class Company:
    """`months`: account months, each once as `part` all and once as that of its tier; `told`: values of fct_kpis."""

    history: History
    months: pd.DataFrame
    told: pd.Series

    @property
    def present(self) -> pd.Period:
        """The month of the build."""
        return self.months["month"].max()

    def rows(self, sql: str, *moments: str) -> pd.DataFrame:
        """The answer of a query; `moments` and days become moments, the month of the first of them is `month`."""
        with self.history.warehouse.session() as session, session.cursor() as cursor:
            cursor.execute(sql)
            found = pd.DataFrame(cursor.fetchall(), columns=[each.name for each in cursor.description or ()])
        for name in moments:
            found[name] = pd.to_datetime(found[name], utc=True)
        if moments:
            found = found[found[moments[0]] <= self.history.settings.now]
            found["month"] = found[moments[0]].dt.tz_localize(None).dt.to_period("M")
        return found

    def happened(self, table: str, moment: str, condition: str = "true") -> pd.DataFrame:
        """Rows of a staged table that happened by now, with their month."""
        return self.rows(f"select * from staging.stg_{table} where {condition} and {moment} is not null", moment)

    def over_windows(self, sums: pd.DataFrame) -> pd.DataFrame:
        """Sums by part and month, added up over each window up to the present: by window, part and month."""
        wide = sums.astype(float).unstack("part")
        wide = wide.reindex(pd.period_range(wide.index.min(), self.present, freq="M", name="month")).fillna(0)
        windows = {w: wide.rolling(w, min_periods=1).sum().stack("part", future_stack=True) for w in WINDOWS}
        return pd.concat(windows, names=["window"]).reorder_levels(["window", *PLACE])

    def agrees(self, kpi: str, expected: pd.Series, *, at_least: int = 6) -> None:
        """Every row that is told is as expected, `at_least` so many are not 0, and nothing but zeros is left out."""
        told = self.told[kpi]
        both = pd.DataFrame({"told": told, "expected": expected.reindex(told.index)}).astype(float)
        wrong = both[~np.isclose(both["told"], both["expected"], equal_nan=True)]
        assert wrong.empty, f"{kpi}:\n{wrong}"
        assert (told.abs() > 0).sum() >= at_least, f"{kpi} tells nothing"
        silent = expected.dropna()
        silent = silent[silent != 0].index.difference(told.index)
        assert silent.empty, f"{kpi} is silent of {silent}"


@pytest.fixture(scope="module")
def company(kpi_history: History) -> Company:
    """The sample company and what is told of it."""
    empty = Company(kpi_history, pd.DataFrame(), pd.Series())
    told = empty.rows("select * from marts.fct_kpis where segment_kind in ('all', 'tier')")
    told["month"] = pd.PeriodIndex(pd.to_datetime(told["month"]), freq="M")
    told = told.rename(columns={"window_months": "window", "segment": "part"})
    months = empty.rows("select * from marts.fct_account_months")
    months["month"] = pd.PeriodIndex(pd.to_datetime(months["month"]), freq="M")
    months["week"] = [day + timedelta(days=1 - (day + timedelta(days=1)).weekday() - 7) for day in months["as_of_day"]]
    money = [name for name in map(str, months) if name.startswith("mrr")]
    months[money] = months[money].astype(float)
    months = pd.concat([months.assign(part="all"), months.assign(part=months["tier"])])
    return Company(kpi_history, months, told.set_index(["kpi", "window", *PLACE])["value"].astype(float))


def of_month(values: pd.Series) -> pd.Series:
    """Values by part and month as those of a window of one month."""
    return pd.concat({1: values}, names=["window"])


def change(values: pd.Series) -> pd.Series:
    """What changed against the window before, as a share of that; the same index."""
    later = values.rename("before").reset_index()
    later["month"] += later["window"].to_numpy()
    before = later.set_index(["window", *PLACE])["before"]
    both = pd.DataFrame({"now": values}).join(before, how="inner")
    return ((both["now"] - both["before"]) / both["before"].abs()).where(both["before"] != 0)


@pytest.mark.requirement("S3-69", "S4-152", "S4-156", "S4-163", "S4-174", "S4-175")
def test_health_is_the_newest_score_when_the_month_ended(company: Company) -> None:
    scores = company.rows("select account_id, week, score, severity, is_at_risk from cs.active_scores")
    weeks = company.rows(
        "select account_id, week, days_since_last_touchpoint as untouched from marts.fct_account_weeks"
    )
    of_customers = company.months[company.months["status"] != "churned"].merge(scores, on=["account_id", "week"])
    of_customers = of_customers.merge(weeks, on=["account_id", "week"], how="left")
    of_customers["at_risk"] = of_customers["is_at_risk"].eq(True)
    of_customers["left_alone"] = of_customers["at_risk"] & ~of_customers["untouched"].le(14)
    scored = of_customers.dropna(subset="score")
    weighted = scored.assign(weighted=scored["score"].astype(float) * scored["mrr"]).groupby(PLACE)
    company.agrees("health_score", of_month(scored.groupby(PLACE)["score"].mean()))
    company.agrees("health_score_by_mrr", of_month(weighted["weighted"].sum() / weighted["mrr"].sum()))
    company.agrees("scored_share", of_month(of_customers.groupby(PLACE)["score"].count() / counted(of_customers)))
    bands = scored["severity"].unique()
    assert len(bands) > 2, "the company has too few bands to tell them apart"
    for severity, name in enumerate(("healthy", "watch", "at_risk", "critical")):
        most = 6 if severity in bands else 0
        band = scored.assign(mrr_in=scored["mrr"].where(scored["severity"] == severity, 0)).groupby(PLACE)
        shares = scored["severity"].eq(severity).groupby([scored["part"], scored["month"]]).mean()
        company.agrees(f"health_{name}_share", of_month(shares), at_least=most)
        by_mrr = band["mrr_in"].sum() / band["mrr"].sum()
        company.agrees(f"health_{name}_share_by_mrr", of_month(by_mrr), at_least=most)
    risk = of_customers[of_customers["at_risk"]].groupby(PLACE)
    company.agrees("at_risk_accounts", of_month(risk.size()))
    company.agrees("churn_risk_mrr", of_month(risk["mrr"].sum()))
    company.agrees("at_risk_untouched_share", of_month(risk["left_alone"].mean()))


def counted(frame: pd.DataFrame) -> pd.Series:
    """Rows by part and month."""
    return frame.groupby(PLACE).size()


@pytest.mark.requirement("S4-49", "S4-50", "S4-154", "S4-166", "S4-167", "C-44")
def test_use_is_that_of_customers_in_the_newest_week_and_of_their_people_in_the_month(company: Company) -> None:
    customers = company.months[company.months["status"] != "churned"]
    weeks = company.rows(
        "select account_id, week, feature_adoption_ratio, login_frequency from marts.fct_account_weeks"
    )
    used = customers.merge(weeks, on=["account_id", "week"], how="left").astype(
        {"feature_adoption_ratio": float, "login_frequency": float}
    )
    adoption = of_month(used.groupby(PLACE)["feature_adoption_ratio"].mean())
    company.agrees("adoption_rate", adoption)
    company.agrees("adoption_change", change(adoption))
    company.agrees("usage_frequency", of_month(used.groupby(PLACE)["login_frequency"].mean()))
    events = company.happened("events", "occurred_at", "user_id <> ''")
    people = events.drop_duplicates(["account_id", "user_id", "month"])[["account_id", "user_id", "month"]]
    active = customers.merge(people, on=["account_id", "month"]).groupby(PLACE).size()
    active = of_month(active.reindex(counted(customers).index, fill_value=0))
    company.agrees("monthly_active_users", active)
    company.agrees("monthly_active_users_change", change(active))


@pytest.mark.requirement("S4-51", "S4-155", "S4-156", "S4-168", "S5-45", "C-44")
@pytest.mark.parametrize(
    ("kpi", "table", "moment", "amount"),
    [
        ("tickets_per_customer", "tickets", "created_at", ""),
        ("touchpoints_per_customer", "touchpoints", "held_at", ""),
        ("value_per_customer", "value_log", "recorded_on", "amount"),
    ],
)
def test_what_happened_is_told_per_customer_that_paid_in_the_month(
    company: Company, kpi: str, table: str, moment: str, amount: str
) -> None:
    paying = company.months[company.months["status"] == "paying"]
    events = company.happened(table, moment)
    events["amount"] = events[amount].astype(float) if amount else 1.0
    with_events = paying.merge(events[["account_id", "month", "amount"]], on=["account_id", "month"])
    sums = pd.DataFrame({"customers": counted(paying), "amount": with_events.groupby(PLACE)["amount"].sum()}).fillna(0)
    over = company.over_windows(sums)
    value = over["amount"] / over["customers"]
    company.agrees(kpi, value)
    if kpi == "tickets_per_customer":
        company.agrees("tickets_per_customer_change", change(value))


@pytest.mark.requirement("S4-53", "S4-55", "S4-57", "S4-157", "S4-158", "S4-160")
@pytest.mark.parametrize(
    ("kpi", "table", "moment", "condition"),
    [
        ("referral_rate", "referrals", "referred_at", "true"),
        ("reference_participation", "customer_references", "provided_at", "true"),
        ("certified_customers", "certifications", "earned_at", "true"),
        ("review_coverage", "touchpoints", "held_at", "kind in ('qbr', 'executive_call')"),
        ("webinar_participation", "event_attendance", "occurred_at", "kind = 'webinar'"),
        ("community_engagement", "event_attendance", "occurred_at", "kind <> 'training'"),
    ],
)
def test_who_took_part_in_the_window_is_a_share_of_who_pays_at_its_end(
    company: Company, kpi: str, table: str, moment: str, condition: str
) -> None:
    if table == "event_attendance":
        condition += " and coalesce(has_attended, true)"
    paying = company.months[company.months["status"] == "paying"]
    took_part = company.happened(table, moment, condition)
    expected = {}
    for window in WINDOWS:
        within = within_window(took_part[["account_id", "month"]], window).drop_duplicates()
        joined = paying.merge(within, on=["account_id", "month"])
        expected[window] = counted(joined).reindex(counted(paying).index, fill_value=0) / counted(paying)
    company.agrees(kpi, pd.concat(expected, names=["window"]))


@pytest.mark.requirement("S3-74", "S4-149", "S4-150", "S4-52", "S5-44", "C-34", "C-35")
def test_satisfaction_is_told_by_the_last_answer_of_each_person_in_the_window(company: Company) -> None:
    surveys = company.rows(
        "select survey, account_id, coalesce(user_id, 'response ' || response_id) as person, score, scale_max, "
        "responded_at as at, response_id as answer from staging.stg_survey_responses",
        "at",
    )
    tickets = company.rows(
        "select 'csat' as survey, account_id, coalesce(user_id, 'ticket ' || ticket_id) as person, csat as score, "
        "csat_scale as scale_max, coalesce(resolved_at, created_at) as at, ticket_id as answer "
        "from staging.stg_tickets where csat is not null and csat_scale is not null",
        "at",
    )
    answers = pd.concat([surveys, tickets]).sort_values(["at", "answer"])
    answers["share"] = answers["score"].astype(float) / answers["scale_max"].astype(float)
    answers["promotes"] = 100 * (1.0 * (answers["share"] >= 0.9) - (answers["share"] <= 0.6))
    answers["content"] = 1.0 * (answers["share"] >= 0.8)
    told = {"nps_score": ("nps", "promotes"), "csat_score": ("csat", "content"), "csat_mean": ("csat", "share")}
    for kpi, (survey, column) in told.items():
        of_survey = answers[answers["survey"] == survey]
        means = {}
        for window in WINDOWS:
            within = within_window(of_survey, window).sort_values(["at", "answer"])
            last = within.drop_duplicates(["account_id", "person", "month"], keep="last")
            means[window] = last.merge(company.months, on=["account_id", "month"]).groupby(PLACE)[column].mean()
        company.agrees(kpi, pd.concat(means, names=["window"]))


@pytest.mark.requirement("S4-146", "S4-147", "S4-148")
def test_who_grew_is_a_share_of_the_customers_of_the_start(company: Company) -> None:
    moves = company.rows("select * from marts.fct_mrr_movements where movement = 'expansion'", "month")
    grown: dict[str, dict[int, pd.Series]] = {"upsell_rate": {}, "cross_sell_rate": {}, "account_growth": {}}
    for window in WINDOWS:
        start = company.months[company.months[f"mrr_{window}m_ago"] > 0].copy()
        start["part"] = start["part"].where(start["part"] == "all", start[f"tier_{window}m_ago"])
        start["grew"] = start["mrr"] > start[f"mrr_{window}m_ago"]
        for bought in ("upsell", "cross_sell"):
            found = moves[moves[bought] > 0]
            sold = within_window(found[["account_id", "month"]], window).drop_duplicates().assign(sold=True)
            joined = start.merge(sold, on=["account_id", "month"], how="left")
            joined["sold"] = joined["sold"].eq(True)
            grown[f"{bought}_rate"][window] = joined.groupby(PLACE)["sold"].mean()
        grown["account_growth"][window] = start.groupby(PLACE)["grew"].mean()
    for kpi, by_window in grown.items():
        company.agrees(kpi, pd.concat(by_window, names=["window"]))


@pytest.mark.requirement("S4-21")
def test_renewals_are_judged_by_those_that_were_decided(company: Company) -> None:
    terms = company.rows("select * from marts.fct_renewals", "renewal_date")
    placed = pd.concat([terms.assign(part="all"), terms.assign(part=terms["tier"])])
    placed["due"] = 1.0
    placed["decided"] = (placed["outcome"] != "open").astype(float)
    placed["renewed"] = (placed["outcome"] == "renewed").astype(float)
    placed["decided_mrr"] = placed["mrr"] * placed["decided"]
    placed["renewed_mrr"] = placed["mrr"] * placed["renewed"]
    placed["possible"] = placed["due"] - placed["decided"] + placed["renewed"]
    placed["growth"] = placed["mrr_after"].astype(float).fillna(0) - placed["renewed_mrr"]
    figures = ["due", "decided", "renewed", "decided_mrr", "renewed_mrr", "possible", "growth"]
    for flag in ("is_on_time", "is_multi_year"):
        placed[flag] = placed[flag].eq(True).astype(float)
    over = company.over_windows(placed.groupby(PLACE)[[*figures, "is_on_time", "is_multi_year"]].sum())
    company.agrees("renewal_rate", over["renewed"] / over["decided"].where(over["decided"] > 0))
    company.agrees("renewal_rate_mrr", over["renewed_mrr"] / over["decided_mrr"].where(over["decided"] > 0))
    company.agrees("renewal_rate_possible", over["possible"] / over["due"].where(over["due"] > 0))
    company.agrees("on_time_renewal_rate", over["is_on_time"] / over["decided"].where(over["decided"] > 0))
    company.agrees("renewal_growth", over["growth"] / over["renewed_mrr"].where(over["renewed"] > 0))
    company.agrees("multi_year_rate", over["is_multi_year"] / over["renewed"].where(over["renewed"] > 0))


@pytest.mark.requirement("S4-176", "S4-177", "C-10")
def test_renewals_ahead_are_those_of_the_next_90_days_as_it_stood_then(company: Company) -> None:
    terms = company.rows("select * from marts.fct_renewals").drop(columns=["month", "tier"])
    scores = company.rows("select account_id, week, is_at_risk from cs.active_scores")
    ahead = company.months.drop(columns="mrr").merge(terms, on="account_id")
    days = (pd.to_datetime(ahead["renewal_date"]) - pd.to_datetime(ahead["as_of_day"])).dt.days
    day = pd.to_datetime(ahead["as_of_day"])
    unsettled = ~(pd.to_datetime(ahead["gone_on"]) <= day) & ~(pd.to_datetime(ahead["successor_known_on"]) <= day)
    ahead = ahead[days.between(1, 90) & (pd.to_datetime(ahead["started_on"]) <= day) & unsettled]
    ahead = ahead.merge(scores, on=["account_id", "week"], how="left")
    ahead["risk"] = ahead["mrr"] * ahead["is_at_risk"].eq(True)
    company.agrees("upcoming_renewals", of_month(counted(ahead)))
    company.agrees("upcoming_renewal_mrr", of_month(ahead.groupby(PLACE)["mrr"].sum()))
    company.agrees("renewal_risk_mrr", of_month(ahead.groupby(PLACE)["risk"].sum()))


@pytest.mark.requirement("S3-70", "S3-71", "S4-153", "S5-43", "S5-46", "C-41")
def test_onboarding_is_judged_when_its_time_is_over_and_first_value_by_who_still_waits(company: Company) -> None:
    steps = company.rows(
        "select steps.*, created_at, churned_at from staging.stg_onboarding_progress as steps "
        "inner join staging.stg_accounts as accounts using (account_id)",
        *("created_at", "completed_at", "churned_at"),
    )
    now = pd.Timestamp(str(company.history.settings.now))
    accounts = steps.groupby("account_id").agg(
        created=("created_at", "first"), left=("churned_at", "first"), month=("month", "first"),
        done=("completed_at", lambda moments: moments.notna().all()), last=("completed_at", "max"),
    )  # fmt: skip
    accounts["first_value"] = steps[steps["is_aha"].eq(True)].groupby("account_id")["completed_at"].min()
    accounts["has_first_value"] = steps.groupby("account_id")["is_aha"].any()
    in_time = accounts["done"] & (accounts["last"] <= accounts["created"] + timedelta(days=30))
    company.agrees("onboarding_completion", share_in_time(company, accounts, in_time, timedelta(days=30), now))
    with_step = accounts[accounts["has_first_value"]]
    soon = with_step["first_value"] <= with_step["created"] + timedelta(hours=72)
    company.agrees("first_value_in_72h", share_in_time(company, with_step, soon, timedelta(hours=72), now))

    medians = {}
    for window in WINDOWS:
        waits = within_window(with_step.reset_index(), window).merge(company.months, on=["account_id", "month"])
        ends = (waits["month"] + 1).dt.to_timestamp().dt.tz_localize("UTC").where(lambda end: end < now, now)
        seen = waits[["first_value", "left"]].assign(end=ends).min(axis=1)
        waits["hours"] = (seen - waits["created"]).dt.total_seconds() / 3600
        waits["arrived"] = waits["first_value"] <= ends
        medians[window] = waits.groupby(PLACE)[["hours", "arrived"]].apply(median_wait)
    company.agrees("time_to_first_value", pd.concat(medians, names=["window"]))


def within_window(rows: pd.DataFrame, window: int) -> pd.DataFrame:
    """Each row once for every month whose window holds the month of the row."""
    return pd.concat([rows.assign(month=rows["month"] + nth) for nth in range(window)])


def share_in_time(
    company: Company, accounts: pd.DataFrame, is_met: pd.Series, allowed: timedelta, now: pd.Timestamp
) -> pd.Series:
    """The share of accounts that met it, of those whose time was over within the window."""
    due = accounts["created"] + allowed
    judged = pd.DataFrame({"met": is_met.astype(float), "month": due.dt.tz_localize(None).dt.to_period("M")})
    judged = judged[due <= now].reset_index()
    shares = {}
    for window in WINDOWS:
        within = within_window(judged, window).merge(company.months, on=["account_id", "month"])
        shares[window] = within.groupby(PLACE)["met"].mean()
    return pd.concat(shares, names=["window"])


def median_wait(waits: pd.DataFrame) -> float:
    """The hours after which half have arrived, by Kaplan and Meier, account by account; NaN where they have not."""
    still = 1.0
    for hour in np.sort(waits["hours"].unique()):
        still *= 1 - (waits["arrived"] & (waits["hours"] == hour)).sum() / (waits["hours"] >= hour).sum()
        if still <= 0.5 + 1e-9:
            return float(hour)
    return float("nan")


@pytest.mark.requirement("S4-170", "S4-171", "S4-172", "S4-173", "C-43")
@pytest.mark.parametrize("age", [1, 3, 6, 12])
def test_cohorts_count_who_still_pays_that_many_months_after_the_first(company: Company, age: int) -> None:
    paid = company.months.dropna(subset="months_since_first_paid")
    starts = paid[paid["months_since_first_paid"] == 0].drop_duplicates("account_id").set_index("account_id")["mrr"]
    reached = paid[paid["months_since_first_paid"] == age].copy()
    reached["start"] = reached["account_id"].map(starts)
    reached["kept"] = (reached["mrr"] > 0).astype(float)
    reached["accounts"] = 1.0
    over = company.over_windows(reached.groupby(PLACE)[["kept", "accounts", "mrr", "start"]].sum())
    over = over[over["accounts"] > 0]
    company.agrees(f"cohort_retention_m{age}", over["kept"] / over["accounts"])
    company.agrees(f"cohort_revenue_retention_m{age}", over["mrr"] / over["start"])


@pytest.mark.requirement("S4-156")
def test_owners_are_counted_who_have_a_paying_account(company: Company) -> None:
    paying = company.months[company.months["status"] == "paying"]
    owners = paying[paying["owner_email"] != "none"].groupby(PLACE)["owner_email"].nunique()
    company.agrees("arr_per_csm", of_month(paying.groupby(PLACE)["mrr"].sum() * 12 / owners))
    company.agrees("accounts_per_csm", of_month(counted(paying) / owners))


@pytest.mark.requirement("S3-75", "S4-145", "S4-169", "C-44")
def test_expansion_is_what_accounts_that_paid_at_both_ends_of_a_month_grew(company: Company) -> None:
    months = company.months
    grown = months[(months["mrr_1m_ago"] > 0) & (months["mrr"] > months["mrr_1m_ago"])]
    grew = (grown["mrr"] - grown["mrr_1m_ago"]).groupby([grown["part"], grown["month"]]).sum()
    all_months = months[months["mrr"] + months["mrr_1m_ago"] > 0].groupby(PLACE).size().index
    over = company.over_windows(grew.reindex(all_months, fill_value=0).to_frame("grown"))["grown"]
    company.agrees("expansion_revenue", over)
    company.agrees("expansion_revenue_change", change(over))
