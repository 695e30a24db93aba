"""The pages of KPIs: value, target, interval and trend as the marts have them; the bridge closes on the chart too."""

from datetime import date, timedelta
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from cs_pipeline.kpis.library import load_kpis
from cs_pipeline.reports.kpis.board import Asked, kpi_board, kpi_page
from cs_pipeline.site.bridge_chart import bridge_chart
from cs_pipeline.site.trend_chart import trend_chart
from tests.builders.site import HOSTILE, Sample


def last_month(sample: Sample) -> date:
    return (sample.today.replace(day=1) - timedelta(days=1)).replace(day=1)


@pytest.mark.requirement("S5-41", "S5-42", "C-44")
def test_every_kpi_stands_once_with_the_last_month_that_was_over(sample: Sample) -> None:
    book = load_kpis(None)
    with sample.warehouse.session() as session:
        board = kpi_board(session, book, Asked())
    rows = [row for _, section in board.sections for row in section]
    on_dashboard = [name for section in book.dashboard for name in section.kpis]
    assert board.month == last_month(sample)
    assert board.months[0] == sample.today.replace(day=1)
    assert [row["kpi"] for row in rows][: len(on_dashboard)] == on_dashboard
    assert {row["kpi"] for row in rows} == set(book.kpis)
    grr = next(row for row in rows if row["kpi"] == "grr")
    assert (grr["target"], grr["meets_target"], grr["n"]) == (0.9, False, 100)
    assert len(grr["trend"]) == 13
    assert grr["trend"][-2:] == [grr["value_before"], grr["value"]]


def test_what_is_missed_says_what_to_do_about_it(reader: TestClient) -> None:
    text = reader.get("/kpis").text
    action = load_kpis(None).kpis["grr"].if_missed
    assert action
    assert text.count("Missed:</b>") == 1
    assert action[:30] in text
    assert "How MRR came about" in text
    page = reader.get("/kpis/grr").text
    for said in ("When the target is missed", "&gt; 90.0%", "70.0% to 99.0%", "not complete", "80.0 / 100"):
        assert said in page


def test_a_part_of_the_business_and_a_month_are_asked_for_in_the_address(sample: Sample, reader: TestClient) -> None:
    with sample.warehouse.session() as session:
        part = kpi_page(session, "grr", Asked("tier", "pro"))
        assert part.row["value"] == pytest.approx(0.75, abs=0.02)
        assert [row["segment"] for row in part.parts["tier"]] == sorted([HOSTILE, "pro"])
        assert kpi_board(session, load_kpis(None), Asked("tier", "pro")).parts == {"tier": [HOSTILE, "pro"]}
    month = f"{last_month(sample):%Y-%m}"
    assert "Tier pro" in reader.get(f"/kpis?part=tier%3Dpro&month={month}").text
    assert reader.get(f"/kpis/grr?part={quote('tier=' + HOSTILE)}").status_code == 200
    assert "is no month" in reader.get("/kpis?month=soon").text
    assert reader.get("/kpis/nothing").status_code == 404


def test_before_kpis_are_built_the_page_says_what_builds_them(changing: Sample, actor: TestClient) -> None:
    changing.history.rows("drop table marts.fct_kpis")
    assert "KPIs were not built yet." in actor.get("/kpis").text
    assert actor.get("/kpis/grr").status_code == 404


def test_the_bridge_goes_step_by_step_from_what_it_opened_with_to_what_it_closed_with(sample: Sample) -> None:
    with sample.warehouse.session() as session:
        bridge = kpi_board(session, load_kpis(None), Asked()).bridge
    chart = bridge_chart(bridge)
    assert chart is not None
    names = [step.name for step in chart.steps]
    assert names == ["Opened", "New", "Expansion", "Moved in", "Moved out", "Contraction", "Churn", "Closed"]
    changes = [step.value for step in chart.steps[1:-1]]
    assert chart.steps[0].value + sum(changes) == chart.steps[-1].value
    assert [step.kind for step in chart.steps[1:-1]] == ["gain" if change > 0 else "loss" for change in changes]
    for step, (_, _, y) in zip(chart.steps, chart.joins, strict=False):
        assert step.y - 2 <= y <= step.y + step.height + 2
    assert chart.joins[-1][2] == pytest.approx(chart.steps[-1].y, abs=2)
    assert 0 < chart.floor < 900
    assert bridge_chart(None) is None


def test_a_trend_leaves_out_months_without_a_value_and_shows_its_target() -> None:
    months = [
        {"month": date(2026, month, 1), "value": value, "low": None, "high": None}
        for month, value in ((1, 1.0), (2, None), (3, 3.0))
    ]
    chart = trend_chart(months, 2.0)
    assert chart is not None
    assert [dot[2]["month"].month for dot in chart.dots] == [1, 3]
    assert chart.dots[0][1] > (chart.target or 0) > chart.dots[1][1]
    assert chart.band == ""
    assert trend_chart(months[:2], None) is None
