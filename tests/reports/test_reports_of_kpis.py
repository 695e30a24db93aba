"""Dashboard, trends, onboarding, retention and expansion: their figures are those of the warehouse, counted anew."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pandas as pd
import pytest

from cs_pipeline.channels.slack_blocks import MOST_BLOCKS
from cs_pipeline.errors import UserError
from cs_pipeline.kpis.library import load_kpis
from cs_pipeline.reports.dated.catalogue import KINDS, kind_named, make_report
from cs_pipeline.reports.dated.mail import MailWriter
from cs_pipeline.reports.dated.page import report_page
from cs_pipeline.reports.dated.places import account_url
from cs_pipeline.reports.dated.report import Report, Table
from cs_pipeline.reports.dated.slack import slack_blocks
from cs_pipeline.reports.dated.words import Money
from tests.builders.sample_history import COMPANY, History

NOW = COMPANY.ends_at + timedelta(hours=20)
MONTH = f"{NOW - timedelta(days=31):%Y-%m}-01"
MONEY = Money("$")
ALL_KPIS = [name for name, kind in KINDS.items() if name != "at_risk_review" and kind.rhythm != "weekly"]


def made(history: History, name: str, moment: datetime = NOW, owner: str = "") -> Report:
    with history.warehouse.session() as session:
        return make_report(session, kind_named(name), history.settings, moment, owner)


def table(report: Report, title: str) -> Table:
    return next(each for each in report.tables if each.title.startswith(title))


def frame(history: History, sql: str) -> pd.DataFrame:
    with history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(sql)
        return pd.DataFrame(cursor.fetchall(), columns=[each.name for each in cursor.description or ()])


def number_of(words: str) -> float:
    """'$1,234' as 1234."""
    return float(words.replace("−", "-").lstrip("+").replace("$", "").replace(",", "").removesuffix(" %"))


@pytest.mark.requirement(
    *[f"S4-{number}" for number in range(161, 178)],
    "S5-41",
    "S5-42",
    "S5-43",
    "S5-44",
    "S5-45",
    "S5-46",
    "C-42",
    "C-44",
)
def test_the_dashboard_shows_every_kpi_beside_its_target_and_says_what_to_do_where_it_is_missed(
    kpi_history: History,
) -> None:
    report = made(kpi_history, "executive_dashboard")
    assert report.period.words == f"{NOW - timedelta(days=31):%B %Y}"
    rows = frame(
        kpi_history,
        f"""
        select kpis.*, title, unit, target_kind, if_missed
        from marts.fct_kpis as kpis
        inner join cs.kpi_definitions as definitions using (kpi, window_months)
        where month = '{MONTH}' and segment_kind = 'all'
        """,
    ).set_index("kpi")
    by_kpi = rows.to_dict("index")
    book = load_kpis(None)
    for section in book.dashboard:
        shown = {row[0]: row for row in table(report, section.section).rows}
        assert [*shown] == [book.kpis[kpi].title for kpi in section.kpis if kpi in by_kpi]
        for kpi in section.kpis:
            if kpi in by_kpi and by_kpi[kpi]["unit"] in ("share", "money"):
                factor = 100 if by_kpi[kpi]["unit"] == "share" else 1
                said = number_of(shown[book.kpis[kpi].title][1])
                assert said == pytest.approx(factor * by_kpi[kpi]["value"], abs=0.5), kpi
    missed = rows[rows["meets_target"].eq(False)]
    assert len(missed) >= 2
    for row in missed.to_dict("records"):
        (said,) = [words for words in report.decisions if words.startswith(f"{row['title']} is ")]
        assert "not above" in said or "not below" in said
        if row["if_missed"]:
            assert row["if_missed"].rstrip(".") in said
    assert f"{len(missed)} of " in report.headline


@pytest.mark.requirement("S4-169")
def test_the_dashboard_says_what_changed_mrr_and_which_accounts_made_the_difference(
    kpi_history: History,
) -> None:
    report = made(kpi_history, "executive_dashboard")
    months = frame(kpi_history, "select account_id, month::text, mrr::float from marts.fct_account_months")
    before = str((pd.Timestamp(MONTH) - pd.DateOffset(months=1)).date())
    wide = months.pivot(index="account_id", columns="month", values="mrr").fillna(0)
    change = wide[MONTH] - wide[before]
    assert f"from {MONEY(wide[before].sum())} to {MONEY(wide[MONTH].sum())}" in report.changes[0]
    shown = table(report, "Accounts that made the difference")
    largest = change[change != 0].abs().sort_values(ascending=False)
    assert len(shown.rows) + shown.more == len(largest)
    assert [abs(number_of(row[1])) for row in shown.rows] == pytest.approx([*largest.round()[: len(shown.rows)]], abs=1)
    left = {account for account, row in zip(shown.accounts, shown.rows, strict=True) if row[4] == "left"}
    assert left == {account for account in shown.accounts if wide.loc[account, MONTH] == 0}
    (bridge,) = [figure for figure in report.figures if "contraction and churn" in figure.finding]
    a_year_ago = pd.Timestamp(MONTH) - pd.DateOffset(
        months=13
    )  # thirteen months, so that the month a year ago is there
    changed = wide[MONTH].sum() - wide[str(a_year_ago.date())].sum()
    assert f"MRR changed by {MONEY.signed(changed)} over 13 months" in bridge.finding


@pytest.mark.requirement("S3-78")
def test_trends_count_where_accounts_moved_and_what_moved_their_scores(kpi_history: History) -> None:
    moment = datetime(2025, 10, 15, tzinfo=UTC)
    report = made(kpi_history, "health_trends", moment)
    week, week_before = report.period.last_week, report.period.before.last_week
    scores = frame(
        kpi_history,
        f"""
        select account_id, week, score, severity from cs.active_scores
        where week in ('{week}', '{week_before}')
            and account_id in (select account_id from marts.fct_account_weeks where week = '{week}')
        """,
    )
    now, before = (scores[scores["week"] == each].set_index("account_id") for each in (week, week_before))
    both = now.join(before, rsuffix="_before", how="inner").dropna(subset=["severity", "severity_before"])
    fell = int((both["severity"] > both["severity_before"]).sum())
    assert f"from {before['score'].mean():,.1f}".removesuffix(".0") in report.changes[0]
    assert report.changes[2].startswith(f"{fell} account")
    lost = frame(
        kpi_history,
        f"""
        select unnest(driver_metrics) as metric, unnest(driver_deltas) as delta from cs.score_changes
        where week > '{week_before}' and week <= '{week}' and previous_week is not null
            and account_id in (select account_id from marts.fct_account_weeks where week = '{week}')
        """,
    )
    net = lost.groupby("metric")["delta"].sum().sort_values()
    assert number_of(table(report, "What moved scores").rows[0][1]) == pytest.approx(net.iloc[0], abs=0.06)
    owner = str(frame(kpi_history, "select min(owner_email) from marts.dim_accounts").iloc[0, 0])
    own = made(kpi_history, "health_trends", moment, owner)
    assert {row[5] for row in table(own, "Fell most").rows} <= {owner}


@pytest.mark.requirement("S3-79")
def test_onboarding_says_at_which_step_accounts_stop_and_who_is_stuck(kpi_history: History) -> None:
    report = made(kpi_history, "onboarding_review")
    end = report.period.as_of
    steps = frame(
        kpi_history,
        """
        select steps.*, accounts.created_at, accounts.churned_at
        from staging.stg_onboarding_progress as steps
        inner join staging.stg_accounts as accounts using (account_id)
        """,
    )
    for column in ("created_at", "completed_at", "churned_at"):
        steps[column] = pd.to_datetime(steps[column], utc=True)
    due = steps["created_at"] + timedelta(days=30)
    quarter = steps[(due <= end) & (due > pd.Timestamp(end) - pd.DateOffset(months=3))]
    in_time = quarter[quarter["completed_at"] <= quarter["created_at"] + timedelta(days=30)]
    shown = table(report, "How far accounts come")
    assert [int(row[1]) for row in shown.rows] == [*in_time.groupby("position")["step"].count()]
    age = end - steps["created_at"]
    recent = steps[(age > timedelta(days=7)) & (age <= timedelta(days=90))]
    recent = recent[recent["churned_at"].isna() | (recent["churned_at"] >= end)]
    stuck = set()
    for account, rows in recent.groupby("account_id"):
        done = rows.loc[rows["completed_at"] < end, "completed_at"]
        last = done.max() if len(done) else rows["created_at"].iloc[0]
        if len(done) < len(rows) and last < end - timedelta(days=7):
            stuck.add(account)
    assert set(table(report, "Stuck").accounts) == stuck
    assert len(stuck) == len(table(report, "Stuck").rows)


@pytest.mark.requirement("S4-174", "S4-175", "C-10")
def test_kpis_call_at_risk_whom_the_score_model_calls_so(kpi_history: History) -> None:
    told = frame(
        kpi_history,
        """
        select kpi, month, numerator from marts.fct_kpis
        where kpi in ('at_risk_accounts', 'churn_risk_mrr') and segment_kind = 'all' and window_months = 1
        """,
    )
    customers = frame(
        kpi_history,
        """
        select account_id, month, mrr, as_of_day, definition ->> 'at_risk_from' as at_risk_from, severity
        from marts.fct_account_months
        inner join cs.active_scores using (account_id)
        inner join cs.score_models using (model, model_version)
        where fct_account_months.status <> 'churned' and week = date_trunc('week', as_of_day + 1)::date - 7
        """,
    )
    at_risk = customers[customers["severity"] >= customers["at_risk_from"].astype(int)]
    assert len(at_risk) < len(customers)
    newest = max(at_risk["month"])
    mrr = [float(each) for each in at_risk.loc[at_risk["month"] == newest, "mrr"]]
    shown = told[told["month"] == newest].set_index("kpi")["numerator"]
    assert shown["at_risk_accounts"] == len(mrr)
    assert shown["churn_risk_mrr"] == pytest.approx(sum(mrr))


@pytest.mark.requirement("S3-80")
def test_retention_names_who_left_and_whether_the_score_had_said_so(kpi_history: History) -> None:
    report = made(kpi_history, "retention_analysis")
    moves = frame(
        kpi_history,
        f"""
        select account_id, month, movement, -mrr_change as lost from marts.fct_mrr_movements
        where movement in ('churn', 'contraction')
            and month >= '{report.period.first}' and month < '{report.period.end}'
        """,
    )
    left = moves[moves["movement"] == "churn"]
    assert report.changes[0].startswith(f"{len(left)} account{'' if len(left) == 1 else 's'} left ")
    assert f"({MONEY(left['lost'].sum())} MRR)" in report.changes[0]
    shown = table(report, "Largest losses")
    assert [number_of(row[1]) for row in shown.rows] == pytest.approx(
        sorted(moves["lost"], reverse=True)[: len(shown.rows)], abs=0.51
    )
    scores = frame(
        kpi_history,
        """
        select account_id, week, severity, definition ->> 'at_risk_from' as at_risk_from
        from cs.active_scores inner join cs.score_models using (model, model_version)
        """,
    )
    risk = (scores["severity"] >= scores["at_risk_from"].astype(int)).where(scores["severity"].notna(), None)
    known = dict(zip(zip(scores["account_id"], scores["week"], strict=True), risk, strict=True))
    weeks = [month - timedelta(days=month.weekday() + 7) for month in moves["month"]]
    called = [known.get(each) for each in zip(moves["account_id"], weeks, strict=True)]
    seen = sum(lost for lost, each in zip(moves["lost"], called, strict=True) if each)
    judged = sum(lost for lost, each in zip(moves["lost"], called, strict=True) if each is not None)
    (said,) = [words for words in report.changes if "had called" in words]
    assert number_of(said.split(" called ")[1].split(" of ")[0]) == pytest.approx(100 * seen / judged, abs=0.06)


@pytest.mark.requirement("S3-80", "S4-170", "S4-171", "S4-172", "S4-173")
def test_cohorts_count_who_still_pays_and_leave_out_what_lies_ahead(kpi_history: History) -> None:
    report = made(kpi_history, "retention_analysis")
    months = frame(
        kpi_history,
        """
        select account_id, first_paid_month, months_since_first_paid as age, mrr > 0 as pays
        from marts.fct_account_months
        """,
    )
    first = months.dropna(subset=["first_paid_month"]).drop_duplicates("account_id")
    quarter = pd.PeriodIndex(pd.to_datetime(first["first_paid_month"]), freq="Q")
    for row in table(report, "Logos kept").rows:
        cohort = set(first.loc[quarter == pd.Period(f"{row[0][-4:]}{row[0][:2]}"), "account_id"])
        assert int(row[1]) == len(cohort)
        for age, cell in zip((1, 3, 6, 12), row[2:], strict=True):
            of_age = months[months["account_id"].isin(cohort) & (months["age"] == age)]
            if cell:
                assert number_of(cell) == pytest.approx(100 * of_age["pays"].sum() / len(cohort), abs=0.06)
    newest = table(report, "Logos kept").rows[0]
    assert newest[-1] == "", "nobody of the newest quarter has paid for a year"


@pytest.mark.requirement("S3-81")
def test_the_pipeline_puts_who_is_well_before_who_is_at_risk_and_says_what_grew(kpi_history: History) -> None:
    rows = frame(
        kpi_history,
        """
        select account_id, severity from cs.active_scores
        where week = '2025-09-22' and account_id in (
            select account_id from marts.fct_account_weeks where week = '2025-09-22')
        order by severity desc, account_id
        """,
    )
    at_risk, well = rows["account_id"].iloc[0], rows["account_id"].iloc[-1]
    assert rows["severity"].iloc[0] >= 2
    with kpi_history.warehouse.session() as session:
        with session.cursor() as cursor:
            for nth, account in enumerate((at_risk, well, well)):
                cursor.execute(
                    """
                    insert into cs.alert_changes (alert_id, rule, account_id, entity, as_of, to_state, version)
                    values (%s, %s, %s, %s, '2025-09-20 00:00Z', 'firing', 'v')
                    """,
                    (-1 - nth, ("seats_full", "limits_hit", "pricing_page")[nth], account, account),
                )
        report = make_report(session, kind_named("expansion_pipeline"), kpi_history.settings, NOW)
        session.rollback()
    assert table(report, "Ready to grow").accounts == (well,)
    assert table(report, "Ready to grow").rows[0][3:5] == ("2", "limits hit, pricing page")
    assert table(report, "Signals, but at risk").accounts == (at_risk,)
    assert report.headline.startswith("1 account with ")
    assert any("holds back offers to the 1 account" in words for words in report.decisions)
    grown = frame(
        kpi_history,
        f"""
        select account_id, sum(mrr_change) as grown from marts.fct_mrr_movements
        where movement = 'expansion' and month >= '{report.period.first}' and month < '{report.period.end}'
        group by 1
        """,
    )
    shown = table(report, "Grew this quarter")
    assert len(shown.rows) + shown.more == len(grown)
    assert MONEY(grown["grown"].sum()) in report.changes[0]
    assert "too few to say" in " ".join(report.notes)


@pytest.mark.parametrize("name", ALL_KPIS)
def test_every_report_has_three_faces_within_the_limits_of_who_shows_them(kpi_history: History, name: str) -> None:
    report = made(kpi_history, name)
    settings = kpi_history.settings
    address = partial(account_url, settings)
    page = report_page(report, address)
    assert report_page(made(kpi_history, name), address) == page, "the same report is the same page"
    assert report.decisions
    assert report.figures
    for figure in report.figures:
        assert figure.finding in page.replace("&#39;", "'")
    text, html = MailWriter(settings, address).write(report)
    assert len(html.encode()) < 100_000
    assert text.index("What changed") < text.index("What to decide") < text.index(report.tables[0].title)
    assert len(slack_blocks(report)) <= MOST_BLOCKS


@pytest.mark.parametrize("name", ["health_trends", "at_risk_review"])
def test_a_report_of_a_past_date_knows_nothing_later(kpi_history: History, name: str) -> None:
    moment = datetime(2025, 9, 8, 12, tzinfo=UTC)
    before = report_page(made(kpi_history, name, moment), str)
    with kpi_history.warehouse.session() as session:
        with session.cursor() as cursor:
            cursor.execute("delete from cs.health_scores where week >= '2025-09-08'")
            cursor.execute("delete from cs.score_changes where week >= '2025-09-08'")
            cursor.execute("delete from marts.fct_account_weeks where week >= '2025-09-08'")
        report = make_report(session, kind_named(name), kpi_history.settings, moment)
        session.rollback()
    assert report_page(report, str) == before


def test_a_month_whose_kpis_are_not_built_is_told_with_what_to_run(kpi_history: History) -> None:
    with pytest.raises(UserError, match="No KPI of December 2030 is built: run the job kpis in Dagster"):
        made(kpi_history, "executive_dashboard", datetime(2031, 1, 5, tzinfo=UTC))
