"""Letting time pass: what was known at a moment, and what a stretch of time adds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.parquet_parts import read_pieces, table_names
from cs_pipeline.demo.slices import BEFORE_EVERYTHING, write_slice
from cs_pipeline.demo.timeline import TIMELINES, as_known_at, changed_between
from cs_pipeline.demo.truth import VERSIONS, read_truth
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.contract import read_contract

ReadTable = Callable[[str], pa.Table]
STATE_TABLES = [name for name, source in read_contract().tables.items() if not source.append_only]


def upserted(name: str, slices: list[pa.Table]) -> pd.DataFrame:
    """The slices loaded one after the other by key, in the order of the key."""
    key = list(read_contract().tables[name].key)
    rows = pd.concat([rows.to_pandas() for rows in slices], ignore_index=True)
    rows = rows[rows[key].notna().all(axis=1)]
    return rows.drop_duplicates(key, keep="last").sort_values(key, ignore_index=True)


def weeks_before(company: SampleCompany, weeks: float) -> datetime:
    return company.ends_at - timedelta(weeks=weeks)


@pytest.fixture(scope="module")
def versions(folder: Path) -> pa.Table:
    return read_truth(folder, VERSIONS)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from([*STATE_TABLES, "email_events", "survey_responses"]),
    hours=st.lists(st.integers(0, 24 * 7 * 50), min_size=1, max_size=4, unique=True),
)
def test_slices_loaded_by_key_give_what_is_known_at_the_last_moment(
    name: str, hours: list[int], company: SampleCompany, read: ReadTable, versions: pa.Table
) -> None:
    moments = sorted(company.ends_at - timedelta(hours=before) for before in hours)
    rows = read(name)
    history = versions if name == "accounts" else None
    slices = [as_known_at(name, rows, moments[0], history)]
    slices += [changed_between(name, rows, after, before, history) for after, before in pairwise(moments)]
    whole = as_known_at(name, rows, moments[-1], history)
    pd.testing.assert_frame_equal(upserted(name, slices), upserted(name, [whole]))


@pytest.mark.parametrize("name", TIMELINES)
def test_at_the_end_everything_is_known(name: str, company: SampleCompany, read: ReadTable, versions: pa.Table) -> None:
    rows = read(name)
    history = versions if name == "accounts" else None
    kept = as_known_at(name, rows, company.ends_at, history)
    assert kept.num_rows == rows.num_rows
    if name != "accounts":  # the broken account has no version, and needs none
        assert kept.equals(rows)


@pytest.mark.parametrize("name", STATE_TABLES)
def test_what_comes_later_is_empty(name: str, company: SampleCompany, read: ReadTable) -> None:
    moment = weeks_before(company, 20)
    known = as_known_at(name, read(name), moment).to_pandas()
    assert 0 < len(known) <= read(name).num_rows
    for column in TIMELINES[name].later:
        assert (pd.to_datetime(known[column], utc=True).dropna() < moment).all()


def test_a_meeting_ahead_is_known_but_not_how_it_went(company: SampleCompany, read: ReadTable) -> None:
    moment = weeks_before(company, 10)
    meetings = as_known_at("touchpoints", read("touchpoints"), moment).to_pandas()
    ahead = meetings[meetings["scheduled_at"] >= moment]
    assert len(ahead) > 0
    assert ahead["held_at"].isna().all()
    assert ahead["is_missed"].isna().all()
    assert meetings[meetings["scheduled_at"] < moment]["is_missed"].notna().all()


def test_a_renewal_date_ahead_stays_known(company: SampleCompany, read: ReadTable) -> None:
    moment = weeks_before(company, 30)
    terms = as_known_at("subscriptions", read("subscriptions"), moment).to_pandas()
    assert (pd.to_datetime(terms["renews_on"], utc=True) > moment).any()
    assert (pd.to_datetime(terms["ended_on"], utc=True).dropna() < moment).all()


def test_a_late_event_is_unknown_until_it_arrives(company: SampleCompany, read: ReadTable) -> None:
    moment = weeks_before(company, 8)
    events = read("events").to_pandas()
    late = events[(events["occurred_at"] < moment) & (events["_loaded_at"] >= moment)]
    known = as_known_at("events", read("events"), moment)["event_id"].to_pandas()
    assert len(late) > 0
    assert not late["event_id"].isin(known).any()


def test_accounts_show_the_owner_and_tier_of_their_time(
    company: SampleCompany, read: ReadTable, versions: pa.Table
) -> None:
    moment = weeks_before(company, 26)
    now = read("accounts").to_pandas().set_index("account_id")
    then = as_known_at("accounts", read("accounts"), moment, versions).to_pandas().set_index("account_id")
    both = then.join(now, rsuffix="_now")
    assert (both["owner_email"] != both["owner_email_now"]).sum() >= 3
    assert (both["tier"] != both["tier_now"]).sum() >= 1
    expected = versions.to_pandas().sort_values("valid_from").query("valid_from < @moment").groupby("account_id").last()
    sound = then.index.intersection(expected.index)
    assert len(sound) == len(then) - 1  # the broken account has no version
    assert (then.loc[sound, "owner_email"] == expected.loc[sound, "owner_email"]).all()


def test_weekly_slices_are_files_that_add_up(folder: Path, company: SampleCompany, tmp_path: Path) -> None:
    moments = [BEFORE_EVERYTHING, *(weeks_before(company, weeks) for weeks in (2, 1, 0))]
    slices: dict[str, list[pa.Table]] = {name: [] for name in table_names(folder)}
    for after, before in pairwise(moments):
        written = write_slice(folder, tmp_path / "slice", after=after, before=before)
        assert set(written) == set(slices)
        for name, parts in slices.items():
            parts.extend(read_pieces(tmp_path / "slice", name))
    for name, parts in slices.items():
        whole = pa.concat_tables(read_pieces(folder, name))
        pd.testing.assert_frame_equal(upserted(name, parts), upserted(name, [whole]))
    assert slices["events"][-1].num_rows < 0.1 * slices["events"][0].num_rows


def test_the_last_weeks_bring_new_accounts_and_renewals(
    folder: Path, company: SampleCompany, read: ReadTable, tmp_path: Path
) -> None:
    write_slice(folder, tmp_path / "slice", after=weeks_before(company, 8), before=company.ends_at)
    accounts = pa.concat_tables(read_pieces(tmp_path / "slice", "accounts")).to_pandas()
    terms = pa.concat_tables(read_pieces(tmp_path / "slice", "subscriptions")).to_pandas()
    since = weeks_before(company, 8)
    assert (accounts["created_at"] >= since).sum() >= 2
    assert (pd.to_datetime(terms["started_on"], utc=True) >= since).sum() >= 5
    assert since > datetime(2025, 1, 1, tzinfo=UTC)


def test_a_slice_is_not_written_over_other_files(folder: Path, company: SampleCompany, tmp_path: Path) -> None:
    mine = tmp_path / "orders" / "orders.csv"
    mine.parent.mkdir()
    mine.write_text("order_id\n1\n")
    with pytest.raises(UserError, match="holds files that were not generated"):
        write_slice(folder, tmp_path, before=company.ends_at)
    assert mine.exists()
