"""What kpis.yaml says: the shipped targets are those of the sources, and a team's file is read with care."""

from pathlib import Path

import pytest

from cs_pipeline.kpis.definition import Target
from cs_pipeline.kpis.library import FILE, load_kpis
from cs_pipeline.kpis.sync import sync_definitions, variables_of
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.yaml_with_lines import InvalidFile
from tests.builders.marts import rows
from tests.conftest import ROOT


@pytest.mark.requirement("S5-41", "S5-42", "S5-43", "S5-44", "S5-45", "S5-46", "C-41", "C-42")
def test_targets_of_the_sources_come_with_their_actions() -> None:
    book = load_kpis(None)
    assert {name: (target.kind, target.bound) for name in book.kpis if (target := book.target(name))} == {
        "nrr": ("above", 1.10),
        "grr": ("above", 0.90),
        "time_to_first_value": ("below", 72),
        "nps_score": ("above", 50),
        "tickets_per_customer_change": ("below", 0),
        "onboarding_completion": ("above", 0.80),
    }
    assert {name: book.kpis[name].if_missed for name in book.kpis if book.target(name)} == {
        "nrr": "Improve expansion motions.",
        "grr": "Focus on churn prevention.",
        "time_to_first_value": "Simplify onboarding.",
        "nps_score": "Interview detractors.",
        "tickets_per_customer_change": "Improve self-service.",
        "onboarding_completion": "Remove friction from the steps.",
    }


@pytest.mark.requirement("C-41")
def test_where_trials_bring_the_customers_value_is_seen_within_a_day_and_the_rest_is_as_usual(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("preset: trial\n")
    usual, trial = load_kpis(None), load_kpis(tmp_path)
    others = {name: (usual.target(name), trial.target(name)) for name in usual.kpis}
    asked = others.pop("time_to_first_value")
    assert [(target.kind, target.bound) for target in asked if target] == [("below", 72), ("below", 24)]
    assert all(one == other for one, other in others.values())


@pytest.mark.requirement(
    *("S4-161", "S4-162", "S4-163", "S4-164", "S4-165", "S4-166", "S4-167", "S4-168", "S4-169"),
    *("S4-170", "S4-171", "S4-172", "S4-173", "C-42", "C-44"),
)
def test_the_figures_of_the_sample_dashboard_are_a_set_of_targets(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("preset: dashboard_samples\n")
    book = load_kpis(tmp_path)
    assert {name: target.bound for name in book.kpis if (target := book.target(name))} == {
        "nrr": 1.15,
        "grr": 0.92,
        "health_score": 75,
        "nps_score": 45,
        "time_to_first_value": 7 * 24,
        "monthly_active_users_change": 0.12,
        "adoption_change": 0.08,
        "tickets_per_customer_change": -0.15,
        "expansion_revenue_change": 0.20,
        "cohort_retention_m1": 0.95,
        "cohort_retention_m3": 0.88,
        "cohort_retention_m6": 0.82,
        "cohort_retention_m12": 0.78,
    }


@pytest.mark.requirement("C-44", "S5-45")
def test_fewer_tickets_are_better_and_targets_point_where_better_is() -> None:
    book = load_kpis(None)
    assert book.kpis["tickets_per_customer"].good == "down"
    for kpi in book.kpis.values():
        for target in kpi.targets.values():
            assert (target.kind in ("above", "at_least")) == (kpi.good == "up"), kpi.title


@pytest.mark.requirement("C-43")
def test_every_retention_says_whether_it_counts_customers_or_revenue() -> None:
    book = load_kpis(None)
    basis = {name: kpi.basis for name, kpi in book.kpis.items() if "retention" in name or name in ("nrr", "grr")}
    assert set(basis.values()) == {"logo", "revenue"}
    assert (basis["grr"], basis["cohort_retention_m12"]) == ("revenue", "logo")


def test_facts_and_sources_of_kpis_exist() -> None:
    book = load_kpis(None)
    known = (ROOT / "docs" / "requirements.md").read_text()
    for name, kpi in book.kpis.items():
        assert [fact for fact in kpi.facts if f"\n{fact} |" not in known] == [], name
        assert set(kpi.sources) <= set(read_contract().tables), name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kpis:\n  nnr: {title: Net}\n", "kpis.yaml:2: kpis.nnr: is no KPI; did you mean nrr?"),
        ("kpis:\n  nrr:\n    target: {above: 1, below: 2}\n", "kpis.yaml:3: kpis.nrr.target: expected one of above"),
        ("parameters:\n  gross_margin: 80\n", "kpis.yaml:2: parameters.gross_margin: "),
        ("parameters:\n  margin: 0.8\n", "there are: segment, churn_date"),
        ("dashboard:\n  - section: Mine\n    kpis: [mmr]\n", "kpis.yaml:3: dashboard[1].kpis[1]: mmr is no KPI"),
        ("preset: best\n", "kpis.yaml:1: preset: "),
    ],
)
def test_what_a_team_cannot_say_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InvalidFile) as found:
        load_kpis(tmp_path)
    assert says in str(found.value)


def test_a_team_changes_what_it_names_and_nothing_else(tmp_path: Path, warehouse: Warehouse) -> None:
    (tmp_path / FILE).write_text(
        "parameters: {gross_margin: 0.7, reactivation_within_days: 90}\n"
        "kpis:\n  grr: {target: {at_least: 0.95}, if_missed: Call everybody.}\n"
    )
    shipped, book = load_kpis(None), load_kpis(tmp_path)
    assert book.target("grr") == Target(at_least=0.95)
    assert book.target("nrr") == shipped.target("nrr")
    assert variables_of(book) == variables_of(shipped) | {
        "kpi_gross_margin": "0.7",
        "kpi_reactivation_within_days": "90",
    }
    with warehouse.session() as session:
        sync_definitions(session, shipped)
        sync_definitions(session, book)
    assert rows(warehouse, "select target, target_kind, if_missed from cs.kpi_definitions where kpi = 'grr'") == [
        (0.95, "at_least", "Call everybody.")
    ]
    assert rows(warehouse, "select count(*) from cs.kpi_definitions") == [(len(book.kpis),)]
