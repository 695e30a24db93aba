"""Entering a segment starts a play; being in it does not."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.triggers.kinds import open_watched
from cs_pipeline.plays.triggers.segments import load_segments, watch
from cs_pipeline.settings import Settings
from cs_pipeline.yaml_with_lines import InvalidFile
from tests.builders.company import MONDAY, WEEK, Company

SEVEN_DAYS = timedelta(days=7)


def look(company: Company, now: datetime = MONDAY, config: Path | None = None) -> int:
    """Look at every segment at `now`; returns how many triggers were opened."""
    as_of = AsOf(Settings(home=Path("unused")), now)
    with company.warehouse.session() as session:
        return open_watched(session, {"segment_entry": watch(config, session)}, as_of)["segment_entry"]


def entries(company: Company) -> list[tuple]:
    return company.run(
        "select trigger_key, week, occurred_at, anchor_on, facts from cs.triggers where kind = 'segment_entry'"
    )


@pytest.mark.requirement("S4-94")
def test_who_enters_a_segment_gets_one_trigger_for_ever(company: Company) -> None:
    for name in ("asks", "stays"):
        company.account(name)
        company.metrics(name, has_cancellation_request=False)
    assert look(company) == 0
    company.metrics("asks", week=WEEK + SEVEN_DAYS, has_cancellation_request=True)
    company.metrics("stays", week=WEEK + SEVEN_DAYS, has_cancellation_request=False)
    assert look(company, MONDAY + SEVEN_DAYS) == 1
    assert look(company, MONDAY + SEVEN_DAYS) == 0
    company.metrics("asks", week=WEEK + 2 * SEVEN_DAYS, has_cancellation_request=True)
    assert look(company, MONDAY + 2 * SEVEN_DAYS) == 0
    assert entries(company) == [
        (
            "segment_entry:cancellation_requested:asks:2025-03-10",
            date(2025, 3, 10),
            datetime(2025, 3, 17, tzinfo=UTC),
            date(2025, 3, 17),
            {"segment": "cancellation_requested"},
        )
    ]


def test_nobody_starts_for_having_been_in_a_segment_when_it_was_first_looked_at(company: Company) -> None:
    company.account("acme", is_bad_fit=True)
    assert look(company) == 0
    assert look(company, MONDAY + SEVEN_DAYS) == 0
    assert company.column("select account_id from cs.segment_members where segment = 'bad_fit'") == ["acme"]


def test_a_changed_segment_is_looked_at_anew_and_starts_nobody(company: Company, tmp_path: Path) -> None:
    company.account("acme", tier="starter")
    assert look(company) == 0
    (tmp_path / "segments.yaml").write_text("segments: [{segment: bad_fit, when: tier == 'starter'}]")
    assert look(company, config=tmp_path) == 0
    assert company.column("select account_id from cs.segment_members where segment = 'bad_fit'") == ["acme"]


def test_who_comes_back_into_a_segment_enters_it_again(company: Company) -> None:
    company.account("acme", is_bad_fit=False)
    look(company)
    opened = []
    for weeks, is_bad_fit in enumerate([True, False, True], start=1):
        company.run("update marts.dim_accounts set is_bad_fit = %s", is_bad_fit)
        opened.append(look(company, MONDAY + weeks * SEVEN_DAYS))
    assert opened == [1, 0, 1]


def test_who_has_left_enters_nothing(company: Company) -> None:
    company.account("gone", is_bad_fit=False, churned_at=MONDAY - timedelta(days=1))
    look(company)
    company.run("update marts.dim_accounts set is_bad_fit = true")
    assert look(company, MONDAY + SEVEN_DAYS) == 0


def test_a_wrong_segment_is_told_its_line_and_field(tmp_path: Path) -> None:
    (tmp_path / "segments.yaml").write_text("segments:\n  - segment: a\n    when: severty == 0\n")
    with pytest.raises(InvalidFile, match=r"segments.yaml:3: segments\[1\].when: .*did you mean severity"):
        load_segments(tmp_path)
