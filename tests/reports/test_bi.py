"""The schema `reports` for BI tools: documented, readable by a role that can read nothing else, and true."""

import re

import pandas as pd
import pytest
import yaml

from cs_pipeline.errors import UserError
from tests.builders.sample_history import COMPANY, History
from tests.conftest import ROOT

VIEWS = ("account_card", "alerts", "at_risk", "cohorts", "kpis", "mrr_movements", "work_queue")
QUESTIONS = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "bi.md").read_text(encoding="utf-8"), re.DOTALL)


def frame(history: History, sql: str) -> pd.DataFrame:
    with history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(sql)
        return pd.DataFrame(cursor.fetchall(), columns=[each.name for each in cursor.description or ()])


def test_every_view_and_every_column_is_described_in_the_database(kpi_history: History) -> None:
    columns = frame(
        kpi_history,
        """
        select relname, attname, col_description(attrelid, attnum) as said, obj_description(attrelid) as view_said
        from pg_attribute inner join pg_class on pg_class.oid = attrelid
        where relnamespace = 'reports'::regnamespace and attnum > 0 and relkind = 'v'
        """,
    )
    assert tuple(sorted(columns["relname"].unique())) == VIEWS
    assert columns[columns["said"].isna() | columns["view_said"].isna()].empty


def test_every_view_has_an_exposure() -> None:
    exposures = yaml.safe_load((ROOT / "dbt_project/models/reports/_exposures.yml").read_text(encoding="utf-8"))
    assert sorted(each["depends_on"] for each in exposures["exposures"]) == [[f"ref('{view}')"] for view in VIEWS]


@pytest.mark.parametrize("nth", range(5))
def test_each_of_the_five_questions_is_answered(kpi_history: History, nth: int) -> None:
    assert len(QUESTIONS) == 5
    answer = frame(kpi_history, QUESTIONS[nth])
    if "reports.alerts" not in QUESTIONS[nth]:  # no rule has been evaluated yet
        assert len(answer), QUESTIONS[nth]


@pytest.mark.one_server("it asks its servers as the reader, who has no rights on their tables")
def test_the_readers_role_reads_the_views_and_nothing_else(kpi_history: History) -> None:
    def as_reader(sql: str) -> int:
        with kpi_history.warehouse.session() as session, session.cursor() as cursor:
            cursor.execute("set local role cs_reader")
            cursor.execute(sql)
            return cursor.rowcount

    for view in VIEWS:
        as_reader(f"select * from reports.{view} limit 1")
    for sql in (
        "select from marts.fct_kpis",
        "select from marts.dim_contacts",
        "select from cs.actions",
        "create table reports.mine ()",
        "drop view reports.kpis",
    ):
        with pytest.raises(UserError, match=r"permission denied|must be owner"):
            as_reader(sql)


def test_cohorts_and_kpis_are_those_of_the_marts(kpi_history: History) -> None:
    months = frame(
        kpi_history,
        """
        select account_id, first_paid_month as cohort, months_since_first_paid as age, mrr::float as mrr
        from marts.fct_account_months where is_complete and months_since_first_paid >= 0
        """,
    )
    cohorts = frame(kpi_history, "select * from reports.cohorts")
    reached = [
        pd.Timestamp(row["cohort"]) + pd.DateOffset(months=int(row["months_since_first_paid"]))
        for row in cohorts.to_dict("records")
    ]
    assert max(reached) < pd.Timestamp(COMPANY.ends_on.replace(day=1)), "only months that are over"
    paying = months[months["mrr"] > 0].groupby(["cohort", "age"])["account_id"].count()
    sizes = months[months["age"] == 0].groupby("cohort")["account_id"].count()
    for row in cohorts.to_dict("records"):
        key = (row["cohort"], row["months_since_first_paid"])
        assert row["paying_accounts"] == paying.get(key, 0)
        assert row["logo_retention"] == pytest.approx(paying.get(key, 0) / sizes[row["cohort"]])
    assert kpi_history.count("marts.fct_kpis") == kpi_history.count("reports.kpis")


def test_the_queue_is_in_the_order_of_what_is_at_stake_and_the_card_knows_each_customer(
    kpi_history: History,
) -> None:
    queue = frame(kpi_history, "select * from reports.work_queue order by place")
    assert queue["arr_at_stake"].is_monotonic_decreasing
    known = queue[queue["score"].notna() & ~queue["has_cancellation_request"].astype(bool)]
    expected = known["arr"] * (100 - known["score"].astype(float)) / 100
    assert [*known["arr_at_stake"]] == pytest.approx([*expected])
    weeks = frame(
        kpi_history,
        "select account_id from marts.fct_account_weeks where week = (select max(week) from marts.fct_account_weeks)",
    )
    assert set(queue["account_id"]) == set(weeks["account_id"])
    risky = frame(
        kpi_history,
        """
        select account_id from reports.account_card where is_at_risk
        except
        select account_id from reports.at_risk where week = (select max(week) from reports.at_risk)
        """,
    )
    assert risky.empty
