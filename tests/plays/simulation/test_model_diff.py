"""What a change of a score model would do to bands, revenue, plays and mail: told, and not done."""

from datetime import date, timedelta

import numpy as np
import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.selection import Rule, Selection, selection_of
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.simulation.model_diff import NOT_SCORED, ModelChange, compare_models
from cs_pipeline.reports.plays.text import model_diff_headline, model_diff_verdict
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, WEEK, Company, save_play
from tests.builders.scored_accounts import HEALTHY, WEEKLY_POINTS

SEVEN = timedelta(days=7)
LOW = {"seat_utilisation": 0.0, "core_features_used": 0.0}
STRICTER = WEEKLY_POINTS.changed(
    bands=tuple(
        band.model_copy(update={"from_": bound})
        for band, bound in zip(WEEKLY_POINTS.bands, (95.0, 55.0, 0.0), strict=True)
    )
)


@pytest.fixture
def company(company: Company) -> Company:
    """With all metrics in the marts."""
    add_all_metrics(company)
    return company


def add_all_metrics(company: Company) -> None:
    """Columns of the marts that scores need, and plays alone do not."""
    present = set(company.column("select column_name from information_schema.columns where table_schema = 'marts'"))
    absent = [
        "tier text",
        "parent_account_id text",
        *(f"{name} double precision" for name in METRICS if name not in present),
    ]
    tables = ", ".join(f"add column if not exists {column}" for column in [*absent, "arr double precision"])
    company.run(
        f"""
        alter table marts.fct_account_weeks {tables},
            add column if not exists tenure_days double precision, add column if not exists seats double precision,
            add column if not exists mrr double precision, add column if not exists days_to_renewal double precision
        """
    )


def add_weeks(company: Company, account: str, bands: str, arr: float | None = 1_000.0) -> None:
    """Weeks up to WEEK: G is 100 points, Y 60, . no row, ? nothing known."""
    for back, letter in enumerate(reversed(bands)):
        values = {"G": HEALTHY, "Y": HEALTHY | LOW, "?": {}, ".": None}[letter]
        if values is not None:
            company.metrics(account, WEEK - back * SEVEN, arr=arr, **values)


def compare(
    company: Company,
    settings: Settings,
    *playbooks: Playbook,
    new: ScoreModel = STRICTER,
    selection: Selection | None = None,
    weeks: int = 4,
) -> ModelChange:
    return compare_models(
        company.warehouse,
        WEEKLY_POINTS,
        new,
        selection or selection_of(WEEKLY_POINTS),
        {each.playbook: each for each in playbooks},
        settings,
        weeks=weeks,
    )


def plays(found: ModelChange) -> dict[str, tuple[int, int, int]]:
    """Plays that start, that are held back, and that stop, by playbook."""
    rows = found.plays.to_dict("records")
    return {row["playbook"]: (row["starts"], row["held_back"], row["stops"]) for row in rows}


def contents(company: Company) -> list[tuple]:
    """Rows of all tables that scoring and plays write."""
    tables = ("health_scores", "score_changes", "score_models", "triggers", "enrolments", "actions", "playbooks")
    return [company.run(f"select '{table}', count(*) from cs.{table}") for table in tables]  # pyright: ignore[reportReturnType]


def test_who_changes_band_and_with_how_much_revenue(company: Company, settings: Settings) -> None:
    for account, bands, arr in (("top", "GGGG", 9_000.0), ("yellow", "YYYY", 5_000.0), ("small", "YYYY", None)):
        company.account(account)
        add_weeks(company, account, bands, arr)
    company.account("unknown")
    add_weeks(company, "unknown", "GGG?")
    looser = WEEKLY_POINTS.changed(
        bands=(WEEKLY_POINTS.bands[0].model_copy(update={"from_": 60.0}), *WEEKLY_POINTS.bands[1:])
    )
    found = compare(company, settings, new=looser)
    bands = {
        (row["from_band"], row["to_band"]): (row["accounts"], row["arr"]) for row in found.bands.to_dict("records")
    }
    assert bands == {
        ("Green", "Green"): (1, 9_000),
        ("Yellow", "Green"): (2, 5_000),
        (NOT_SCORED, NOT_SCORED): (1, 1_000),
    }
    assert found.moved["account_id"].tolist() == ["yellow", "small"]
    assert found.moving(-1) == (2, 5_000)
    assert found.moving(1) == (0, 0)


def test_who_would_lose_the_score_is_counted_by_itself(company: Company, settings: Settings) -> None:
    company.account("acme")
    add_weeks(company, "acme", "YYYY", 5_000.0)
    company.account("unknown")
    add_weeks(company, "unknown", "GGG?")
    company.run("update marts.fct_account_weeks set nps_response = null, days_to_renewal = null")
    found = compare(company, settings, new=WEEKLY_POINTS.changed(coverage_floor=0.9))
    assert found.moving(1) == found.moving(-1) == (0, 0)
    assert (found.no_longer_scored, found.newly_scored) == ((1, 5_000), (0, 0))
    assert found.document["no_longer_scored"] == {"accounts": 1, "arr": 5_000}
    said = " ".join(model_diff_headline(found))
    assert "1 account with an ARR of 5,000 would no longer be scored: too few of their metrics are known." in said


def test_nothing_is_written(company: Company, settings: Settings) -> None:
    company.account("acme", severity=0)
    add_weeks(company, "acme", "GGYY")
    before = contents(company)
    compare(company, settings, save_play())
    assert contents(company) == before


def test_only_those_for_whom_the_present_model_counts_are_concerned(company: Company, settings: Settings) -> None:
    for account, tier in (("big", "enterprise"), ("small", "starter")):
        company.account(account)
        add_weeks(company, account, "YYYY")
        company.run("update marts.fct_account_weeks set tier = %s where account_id = %s", tier, account)
    other = WEEKLY_POINTS.changed(model="other")
    selection = Selection((Rule(model="other", tier="enterprise"), Rule(model="weekly_points")), (WEEKLY_POINTS, other))
    assert compare(company, settings, selection=selection).accounts["account_id"].tolist() == ["small"]
    elsewhere = compare(company, settings, selection=selection_of(other))
    assert sorted(elsewhere.accounts["account_id"]) == ["big", "small"]


@pytest.mark.requirement("C-12")
def test_a_play_that_ignores_new_models_starts_for_nobody(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    add_weeks(company, "acme", "YYYY")
    stricter = WEEKLY_POINTS.changed(
        bands=tuple(
            band.model_copy(update={"from_": bound})
            for band, bound in zip(WEEKLY_POINTS.bands, (95.0, 70.0, 0.0), strict=True)
        )
    )
    any_cause = save_play(trigger={"kind": "score_change", "when": "to_severity == 3"})
    careful = save_play(
        playbook="careful",
        family="other",
        trigger={"kind": "score_change", "when": "to_severity == 3 and cause != 'model_version'"},
    )
    found = compare(company, settings, any_cause, careful, new=stricter)
    assert plays(found) == {"yellow": (1, 0, 0), "careful": (0, 1, 0)}


def test_a_play_whose_exit_would_hold_stops(company: Company, settings: Settings) -> None:
    for account in ("acme", "beta"):
        company.account(account, severity=1)
        add_weeks(company, account, "GGYY")
        enrol(company.warehouse, save_play(), [company.fall(account)], settings, MONDAY)
    add_other = WEEKLY_POINTS.changed(
        bands=(WEEKLY_POINTS.bands[0].model_copy(update={"from_": 60.0}), *WEEKLY_POINTS.bands[1:])
    )
    company.run("update marts.fct_account_weeks set worst_open_ticket = 2 where account_id = 'beta'")  # 50 points
    company.account("well-already", severity=1)
    add_weeks(company, "well-already", "GGGG")
    enrol(company.warehouse, save_play(), [company.fall("well-already")], settings, MONDAY)
    found = compare(company, settings, save_play(), new=add_other)
    assert plays(found) == {"yellow": (0, 0, 1)}
    assert company.run("select count(*) from cs.enrolments where status = 'active'") == [(3,)]


def test_mail_is_forecast_from_what_changed_in_past_weeks(company: Company, settings: Settings) -> None:
    company.account("acme")
    add_weeks(company, "acme", "GGGGGYGY")
    never_yellow = WEEKLY_POINTS.changed(
        bands=(WEEKLY_POINTS.bands[0].model_copy(update={"from_": 60.0}), *WEEKLY_POINTS.bands[1:])
    )
    play = save_play(reentry_after_days=0)
    found = compare(company, settings, play, new=never_yellow, weeks=4)
    assert found.changes_per_week == (3 / 4, 0)
    (row,) = found.forecast.to_dict("records")
    assert (row["starts_before"], row["starts_after"]) == (2 / 4, 0)
    assert found.mails_per_week == (2 * 2 / 4, 0)
    assert (row["tasks_before"], row["tasks_after"]) == (2 / 4, 0)
    rarely = compare(company, settings, save_play(reentry_after_days=30), new=never_yellow, weeks=4)
    assert rarely.mails_per_week == (2 / 4, 0)


def test_one_play_of_a_family_runs_at_a_time_and_the_higher_priority_wins(company: Company, settings: Settings) -> None:
    company.account("acme")
    add_weeks(company, "acme", "GGGGGYGG")
    any_change = {"kind": "score_change"}
    quick = save_play(playbook="quick", priority=10, trigger=any_change, exit=[])
    urgent = save_play(playbook="urgent", priority=90, trigger=any_change, exit=[])
    apart = save_play(playbook="apart", priority=10, family="other", trigger=any_change, exit=[])
    forecast = compare(company, settings, quick, urgent, apart).forecast.set_index("playbook")["starts_before"]
    assert forecast.to_dict() == {"urgent": 2 / 4, "apart": 2 / 4, "quick": 0}


def test_facts_are_those_of_the_week_and_the_model(company: Company, settings: Settings) -> None:
    company.account("acme", severity=0, created_at=MONDAY - timedelta(days=40))
    add_weeks(company, "acme", "GGGYG")
    young = save_play(audience="tenure_days < 37 and severity == 1 and score == 60")
    assert compare(company, settings, young).forecast["starts_before"].tolist() == [1 / 4]
    old = save_play(audience="tenure_days > 37")
    assert compare(company, settings, old).forecast["starts_before"].tolist() == [0]


def test_a_first_score_that_is_not_healthy_counts_as_a_change(company: Company, settings: Settings) -> None:
    company.account("acme")
    add_weeks(company, "acme", "....YY")
    found = compare(company, settings, save_play(trigger={"kind": "score_change", "when": "cause == 'first_score'"}))
    assert found.changes_per_week[0] == 1 / 4
    assert found.forecast["starts_before"].tolist() == [1 / 4]


@pytest.mark.parametrize(
    ("week", "complaint"), [(date(2025, 3, 4), "is a Tuesday"), (date(2030, 1, 7), "is not there yet")]
)
def test_a_week_that_is_none_is_refused(company: Company, settings: Settings, week: date, complaint: str) -> None:
    company.account("acme")
    add_weeks(company, "acme", "GG")
    with pytest.raises(UserError, match=complaint):
        compare_models(company.warehouse, WEEKLY_POINTS, STRICTER, selection_of(WEEKLY_POINTS), {}, settings, week=week)


def test_it_is_told_in_words(company: Company, settings: Settings) -> None:
    for account, arr in (("acme", 9_000.0), ("beta", 500.0)):
        company.account(account)
        add_weeks(company, account, "GGGG", arr)
    stricter = WEEKLY_POINTS.changed(coverage_floor=0.4, dimensions=WEEKLY_POINTS.dimensions, bands=STRICTER.bands)
    company.run("update marts.fct_account_weeks set worst_open_ticket = 2 where account_id = 'acme'")  # 90 points
    found = compare(company, settings, save_play(), new=stricter)
    first, second = model_diff_headline(found)
    assert first.endswith("1 account of 2 would be in another band.")
    assert second == "1 account with an ARR of 9,000 would be worse off, 0 accounts with 0 better."
    assert model_diff_verdict(found)[0] == "On the day of the change 1 play would start and 0 plays stop."


def test_a_model_that_is_the_same_is_said_to_be_so(company: Company, settings: Settings) -> None:
    company.account("acme")
    add_weeks(company, "acme", "GGGG")
    (only,) = model_diff_headline(compare(company, settings, new=WEEKLY_POINTS))
    assert "nothing would change" in only


def test_the_document_is_json(company: Company, settings: Settings) -> None:
    import json

    company.account("acme")
    add_weeks(company, "acme", "GGYY", arr=None)
    company.account("unknown")
    add_weeks(company, "unknown", "GG??")
    found = compare(company, settings, save_play(), new=STRICTER.changed(coverage_floor=0.0))
    document = json.loads(json.dumps(found.document, allow_nan=False))
    assert document["worse"]["accounts"] == found.moving(1)[0]
    assert {row["account_id"] for row in document["moved"]} == set(found.moved["account_id"])
    assert np.isfinite(document["mails_per_week"]["after"])
