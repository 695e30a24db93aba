"""The sample company keeps the source contract, but for the rows that break it on purpose."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import pandas as pd
import pyarrow as pa
import pytest

from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.tables import schemas
from cs_pipeline.demo.timeline import MOMENT, TIMELINES
from cs_pipeline.demo.truth import REJECTS, read_truth
from cs_pipeline.demo.vocabulary import vocabulary
from cs_pipeline.warehouse.contract import Column, SourceTable, read_contract

TABLES = list(read_contract().tables.values())
Sound = Callable[[str], pd.DataFrame]


@pytest.mark.parametrize("source", TABLES, ids=lambda source: source.name)
def test_columns_have_the_names_and_types_of_the_contract(source: SourceTable, read: Callable[[str], pa.Table]) -> None:
    rows = read(source.name)
    assert rows.schema.equals(schemas()[source.name])
    assert rows.column_names == list(source.column_names)
    assert rows.num_rows > 0


@pytest.mark.parametrize("source", TABLES, ids=lambda source: source.name)
def test_rows_keep_every_rule_of_the_contract(source: SourceTable, sound: Sound) -> None:
    rows = sound(source.name)
    assert not rows.duplicated(list(source.key)).any()
    for column in source.columns:
        values = rows[column.name].dropna()
        assert not (column.required and len(values) < len(rows)), column.name
        assert not column.accepted_values or values.isin(column.accepted_values).all(), column.name
        assert column.minimum is None or (values >= column.minimum).all(), column.name
        assert column.format != "timezone" or values.isin(available_timezones()).all(), column.name
        assert column.format != "email" or values.str.fullmatch(r"[a-z0-9.]+@[a-z0-9.-]+\.[a-z]+").all(), column.name
        assert column.references is None or values.isin(sound(column.references)[column.name]).all(), column.name


def test_every_broken_row_breaks_the_rule_that_the_truth_names(folder: Path, sound: Sound, read: Callable) -> None:
    broken = read_truth(folder, REJECTS).to_pandas()
    assert 3 <= len(broken) <= 10
    for row in broken.itertuples():
        source = read_contract().tables[row.source_table]
        frame = read(source.name).to_pandas()
        (found,) = frame[frame[source.key[0]] == row.row_key][row.column_name]
        assert breaks(source.column(row.column_name), found, sound)


def breaks(column: Column, value: Any, sound: Sound) -> bool:
    """Whether a value breaks a rule of its column."""
    if pd.isna(value):
        return column.required
    return (
        bool(column.accepted_values and value not in column.accepted_values)
        or bool(column.minimum is not None and value < column.minimum)
        or (column.format == "timezone" and value not in available_timezones())
        or (column.format == "email" and "@" not in str(value))
        or (column.references is not None and value not in set(sound(column.references)[column.name]))
    )


@pytest.mark.parametrize("source", [t for t in TABLES if t.parents], ids=lambda source: source.name)
def test_no_row_is_known_before_the_account_or_person_it_belongs_to(source: SourceTable, sound: Sound) -> None:
    rows = sound(source.name)
    rows["known"] = known_from(source.name, rows)
    for column in source.columns:
        if column.references:
            parents = sound(column.references)
            parents["parent_known"] = known_from(column.references, parents)
            both = rows.merge(parents[[column.name, "parent_known"]], on=column.name)
            assert (both["known"] >= both["parent_known"]).all()


def known_from(name: str, rows: pd.DataFrame) -> pd.Series:
    """When each row became known, as the timeline says."""
    happened = TIMELINES[name].happened
    loaded = rows["_loaded_at"]
    return loaded if happened is None else loaded.fillna(pd.to_datetime(rows[happened], utc=True))


@pytest.mark.parametrize("source", TABLES, ids=lambda source: source.name)
def test_nothing_later_than_the_end_is_told(source: SourceTable, company: SampleCompany, sound: Sound) -> None:
    rows = sound(source.name)
    ahead = {"renews_on", "due_on", "scheduled_at", "launched_on", "expires_on"}
    for field in schemas()[source.name]:
        if field.name not in ahead and (field.type == MOMENT or pa.types.is_date(field.type)):
            assert (pd.to_datetime(rows[field.name], utc=True).dropna() < company.ends_at).all(), field.name


def test_nobody_has_an_address_at_a_real_domain(sound: Sound) -> None:
    for source in TABLES:
        for column in source.columns:
            if column.format == "email":
                addresses = sound(source.name)[column.name].dropna()
                assert addresses.str.endswith((".example", "@example.com")).all(), f"{source.name}.{column.name}"


def test_accounts_keep_the_hours_of_their_country(sound: Sound) -> None:
    zones = {country.code: country.timezones for country in vocabulary().countries}
    accounts = sound("accounts")
    assert all(zone in zones[country] for country, zone in zip(accounts["country"], accounts["timezone"], strict=True))
    assert accounts["country"].nunique() >= 12


def test_names_are_written_as_their_bearers_write_them(sound: Sound) -> None:
    accounts, users = sound("accounts"), sound("users")
    assert accounts["account_name"].is_unique
    assert (~accounts["account_name"].map(str.isascii)).mean() > 0.1
    assert (~users["full_name"].map(str.isascii)).mean() > 0.1
    assert users["email"].dropna().is_unique


def test_the_data_is_a_little_untidy(sound: Sound) -> None:
    users, events = sound("users"), sound("events")
    assert 0.01 < users["email"].isna().mean() < 0.08
    assert 0.005 < users["unsubscribed_at"].notna().mean() < 0.08
    is_late = events["_loaded_at"] - events["occurred_at"] > pd.Timedelta(days=1)
    assert 0.01 < is_late.mean() < 0.04


def test_prices_spread_over_small_and_large_accounts(sound: Sound) -> None:
    running = sound("subscriptions").query("ended_on.isna() and not is_trial")
    arr = running.groupby("account_id")["mrr"].sum() * 12
    assert 0.1 < (arr > 10_000).mean() < 0.5
    assert {"starter", "pro", "enterprise"} == set(running["tier"].dropna())
    assert running["renews_on"].isna().any()
    assert running["auto_renew"].nunique() == 2
