"""Slices of the accounts, scored and compared at once: the rows of one process, and no waiting for each other."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest

from cs_pipeline.health.library import load_score_model
from cs_pipeline.health.selection import Rule, Selection
from cs_pipeline.history.changes import ChangeSummary, record_changes
from cs_pipeline.history.count_changes import conclude_changes
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import conclude_weeks, score_weeks
from cs_pipeline.history.slices import PIECES, Slice, slices_of
from cs_pipeline.history.week_summary import WeekSummary
from cs_pipeline.history.weeks import lock_week
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import add_account_week, rows, week
from tests.builders.scored_accounts import WEEKLY_POINTS
from tests.conftest import CopyDatabase

SELECTION = Selection(
    (Rule(model="five_factor", tier="enterprise"), Rule(model="weekly_points")),
    (WEEKLY_POINTS, load_score_model("five_factor")),
)
WEEKS = [week(0), week(1), week(2)]
TABLES = ("health_scores", "score_changes", "parent_scores", "score_models")


@pytest.fixture
def accounts(marts: Warehouse) -> Warehouse:
    """Forty accounts whose metrics go up and down over three weeks, some of them children of two parents."""
    chance = random.Random(3)
    for number in range(len(WEEKS)):
        for account in range(40):
            add_account_week(
                marts, f"account {account}", number,
                tier="enterprise" if account % 3 == 0 else "pro",
                seat_utilisation=chance.random(),
                core_features_used=chance.randrange(6),
                nps_response=chance.choice([None, chance.randrange(11)]),
                arr=chance.randrange(1_000),
            )  # fmt: skip
    parent = "'parent ' || abs(mod(hashtext(account_id) / 4, 2))::text"
    of_a_parent = f"update marts.fct_account_weeks set parent_account_id = {parent}"
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute(f"{of_a_parent} where mod(hashtext(account_id), 4) = 0")
    return marts


def score_whole(warehouse: Warehouse) -> tuple[list[WeekSummary], list[ChangeSummary]]:
    scored = score_weeks(warehouse, SELECTION, WEEKS, Scope())
    return scored, record_changes(warehouse, SELECTION, WEEKS, Scope(), "backfill")


def score_in_slices(warehouse: Warehouse, count: int) -> tuple[list[WeekSummary], list[ChangeSummary]]:
    at_once(count, lambda part: score_weeks(warehouse, SELECTION, WEEKS, Scope().of(part)))
    scored = conclude_weeks(warehouse, SELECTION, WEEKS, Scope())
    at_once(count, lambda part: record_changes(warehouse, SELECTION, WEEKS, Scope().of(part), "backfill"))
    return scored, conclude_changes(warehouse, SELECTION, WEEKS, Scope())


def at_once(count: int, work: Callable[[Slice], object]) -> None:
    with ThreadPoolExecutor(count) as threads:
        list(threads.map(work, slices_of(count)))


def digests(warehouse: Warehouse) -> dict[str, object]:
    """A hash of the text of all rows, by table, and what the weeks are kept as."""
    found: dict[str, object] = {
        table: rows(warehouse, f"select count(*), md5(string_agg(t::text, ';' order by t::text)) from cs.{table} as t")
        for table in TABLES
    }
    kept = rows(warehouse, "select week, model, model_version, newest_load_id from cs.scored_weeks order by 1, 2")
    return found | {"scored_weeks": kept}


def test_three_slices_at_once_write_the_rows_of_one_process_and_come_to_the_same(
    accounts: Warehouse, copy_database: CopyDatabase
) -> None:
    one, three = copy_database(accounts), copy_database(accounts)
    (scored, changed), (scored_in_slices, changed_in_slices) = score_whole(one), score_in_slices(three, 3)
    whole = digests(one)
    assert all(found and found[0][0] for found in map(list, (whole[table] for table in TABLES)))  # pyright: ignore
    assert digests(three) == whole
    for there, here in zip(scored_in_slices, scored, strict=True):
        assert there.active.accounts == here.active.accounts
        assert +there.active.bands == +here.active.bands
        assert +there.active.known == +here.active.known
        assert there.active.distribution == here.active.distribution
        assert there.active.mean_score == pytest.approx(here.active.mean_score)
        assert there.active.coverage == pytest.approx(here.active.coverage)
        assert there.by_model.keys() == here.by_model.keys()
    for there, here in zip(changed_in_slices, changed, strict=True):
        assert +there.causes == +here.causes
        counts = [(each.compared, each.changed_band, each.worse, each.better) for each in (there, here)]
        assert counts[0] == counts[1]


def test_a_slice_that_fails_is_scored_again_alone(
    accounts: Warehouse, copy_database: CopyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, three = copy_database(accounts), copy_database(accounts)
    score_whole(one)
    first, second, third = (Scope().of(part) for part in slices_of(3))
    score_weeks(three, SELECTION, WEEKS, first)
    with monkeypatch.context() as broken:
        broken.setattr("cs_pipeline.history.scores.append", stumbling(at=4))
        with pytest.raises(ConnectionError):
            score_weeks(three, SELECTION, WEEKS, second)
    score_weeks(three, SELECTION, WEEKS, third)
    done = {row[0] for row in rows(three, "select distinct week from cs.health_scores")}
    assert done == set(WEEKS)
    assert rows(three, "select 1 from cs.scored_weeks") == [], "a week counts as scored when all of it is"
    score_weeks(three, SELECTION, WEEKS, second)
    conclude_weeks(three, SELECTION, WEEKS, Scope())
    for part in slices_of(3):
        record_changes(three, SELECTION, WEEKS, Scope().of(part), "backfill")
    assert digests(three) == digests(one)


def stumbling(*, at: int) -> Callable[..., int]:
    from cs_pipeline.warehouse.bulk import append

    calls = iter(range(at))

    def stumble(*arguments: object) -> int:
        if next(calls, None) is None:
            raise ConnectionError("the server is gone")
        return append(*arguments)  # pyright: ignore[reportArgumentType]

    return stumble


def test_every_account_is_in_one_slice_however_they_are_cut(accounts: Warehouse) -> None:
    everybody = sorted(rows(accounts, "select distinct account_id from marts.fct_account_weeks"))
    for count in (1, 2, 3, 7, PIECES):
        ids = "select distinct account_id from marts.fct_account_weeks where "
        found = [row for part in slices_of(count) for row in rows(accounts, ids + part.condition("account_id"))]
        assert sorted(found) == everybody, f"{count} slices"
        assert all(Slice.named(part.name) == part for part in slices_of(count))


@contextmanager
def holding(warehouse: Warehouse, part: Slice | None) -> Iterator[None]:
    """A run that is in the middle of the first week."""
    with warehouse.arrow() as connection:
        lock_week(connection, "health_scores", week(0), part)
        yield
        connection.rollback()


def waits(warehouse: Warehouse, part: Slice | None) -> bool:
    """Whether another run of that part waits."""
    begun = threading.Event()

    def begin() -> None:
        with holding(warehouse, part):
            begun.set()

    thread = threading.Thread(target=begin)
    thread.start()
    is_waiting = not begun.wait(timedelta(seconds=1).total_seconds())
    waiting.append(thread)
    return is_waiting


waiting: list[threading.Thread] = []


def test_slices_that_share_accounts_wait_for_each_other_and_for_whole_weeks_and_others_do_not(
    warehouse: Warehouse,
) -> None:
    first, second, third = slices_of(3)
    with holding(warehouse, second):
        assert not waits(warehouse, first)
        assert not waits(warehouse, third)
        assert waits(warehouse, second)
        assert waits(warehouse, Slice(1, 2)), "it has some of the accounts"
        assert waits(warehouse, None), "a run without slices"
    with holding(warehouse, None):
        assert waits(warehouse, first)
    for thread in waiting:
        thread.join(10)
        assert not thread.is_alive()
