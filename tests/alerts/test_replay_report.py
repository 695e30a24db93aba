"""What is said of a replay: figures by week, account and owner, overlaps, and two replays side by side."""

import json
from pathlib import Path

import pandas as pd
import pytest

from cs_pipeline.alerts.diff import diff
from cs_pipeline.alerts.outcomes import Book
from cs_pipeline.alerts.overlap import overlap
from cs_pipeline.alerts.replay import Replay, replay
from cs_pipeline.alerts.replay_report import RuleReport, report
from cs_pipeline.alerts.scorecard import scorecards
from cs_pipeline.cli.listing import as_plain
from cs_pipeline.reports.alerts import replay as words
from cs_pipeline.reports.alerts.scorecard import headline, in_words, scorecard_page, table
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.alert_histories import AlertHistory, day, lasting
from tests.conftest import CopyDatabase

FIRST, LAST = day(0), day(34)
OWNERS = {"a0": "olga@ours.example", "a1": "olga@ours.example", "a2": "paul@ours.example"}
RULES = (
    lasting("idle", again_after="5 days", resolve_after="2 evaluations"),
    lasting("patient", **{"for": "3 days"}),
    lasting("happened", nature="event", expires_after="30 days"),
    lasting("quiet"),
)


@pytest.fixture(scope="module")
def book() -> Book:
    accounts = pd.DataFrame(
        {
            "account_id": [*OWNERS, "a3"],
            "account_name": ["<b>Ada & Co</b>", "A 1", "A 2", "A 3"],
            "owner_email": [*OWNERS.values(), "paul@ours.example"],
            "created_on": pd.Timestamp("2024-01-01"),
            "departs_on": pd.to_datetime(pd.Series([None, None, None, "2025-03-24"])),
            "decided_until": pd.Timestamp("2025-12-01"),
        }
    )
    happenings = pd.DataFrame(
        {"account_id": ["a3"], "event": ["churn"], "happens_on": [pd.Timestamp("2025-03-24")], "happened": [True]}
    )
    return Book(accounts, happenings, pd.Timestamp("2025-12-01").date())


@pytest.fixture(scope="module")
def history(migrated: Warehouse, copy_once: CopyDatabase) -> AlertHistory:
    history = AlertHistory(copy_once(migrated), RULES)
    for account in (*OWNERS, "a3"):
        history.account(account, left=14 if account == "a3" else None)
    history.holds("a0", -5, 1)  # the baseline
    history.holds("a0", 3, 5)
    history.holds("a0", 6, 7)  # back after one evaluation without: nobody hears of it
    history.holds("a0", 9, 10)  # back after two, and more than again_after from when it was told
    history.holds("a1", 2, 16)
    history.holds("a2", 23, 24)
    history.holds("a1", 2, 4, rule="patient")
    history.holds("a2", 3, 10, rule="patient")
    history.holds("a1", 8, 9, rule="happened")
    return history


@pytest.fixture(scope="module")
def replayed(history: AlertHistory) -> Replay:
    return replay(history.warehouse, Settings(home=Path("nowhere")), history.rules, FIRST, LAST)


@pytest.fixture(scope="module")
def reports(replayed: Replay, book: Book) -> dict[str, RuleReport]:
    return {each.rule: each for each in report(replayed, book)}


def test_alerts_are_counted_by_week_of_firing_without_the_baseline(reports: dict[str, RuleReport]) -> None:
    idle = reports["idle"]
    # Weeks of 10 March to 7 April: a1 on day 2, a0 on days 3 and 9, a2 on day 23.
    assert (idle.fired, idle.baseline, idle.accounts) == (4, 1, 3)
    assert (idle.per_week_median, idle.per_week_worst) == (1, 2)
    assert idle.per_week_p95 == pytest.approx(1.8)
    assert f"{idle.worst_week:%Y-%m-%d}" == "2025-03-10"
    assert reports["quiet"].worst_week is None


def test_shares_are_of_the_book_of_the_week_and_of_all_that_were_in_it(reports: dict[str, RuleReport]) -> None:
    idle = reports["idle"]
    assert idle.share_per_week == pytest.approx(4 / (4 + 4 + 3 + 3 + 3))  # a3 left on the Monday of the third week
    assert idle.share_ever == pytest.approx(3 / 4)


def test_alerts_of_a_week_are_shared_out_to_the_owners_of_the_book(reports: dict[str, RuleReport]) -> None:
    idle = reports["idle"]
    assert idle.per_csm_and_week == pytest.approx(4 / 2 / 5)
    assert (idle.busiest_owner, idle.busiest_owner_per_week) == ("olga@ours.example", pytest.approx(3 / 5))


def test_what_the_delays_save_is_counted(reports: dict[str, RuleReport]) -> None:
    assert reports["idle"].saved_by_resolve_after == 1
    assert (reports["patient"].fired, reports["patient"].saved_by_for) == (1, 1)
    assert reports["idle"].median_days == 2.5  # 4, 1, 14 and 1


def test_the_loudest_accounts_come_first(reports: dict[str, RuleReport]) -> None:
    loudest = reports["idle"].loudest
    assert loudest["account_id"].tolist() == ["a0", "a1", "a2"]
    assert loudest["fired"].tolist() == [2, 1, 1]
    assert loudest["account_name"].iloc[0] == "<b>Ada & Co</b>"


def test_rules_overlap_where_they_speak_of_an_account_in_the_same_week(replayed: Replay) -> None:
    # idle: a0 in weeks 1 and 2, a1 in 1, 2 and 3, a2 in 4; patient: a2 in 1 and 2; happened: a1 in 2, when it fired.
    found = overlap(replayed)
    pairs = {(str(row["rule"]), str(row["other"])): row for row in found.to_dict("records")}
    assert set(pairs) == {("idle", "happened"), ("happened", "idle")}
    row = pairs[("idle", "happened")]
    assert (row["account_weeks"], row["other_account_weeks"], row["both"]) == (6, 1, 1)
    assert row["jaccard"] == pairs[("happened", "idle")]["jaccard"] == pytest.approx(1 / 6)


def test_two_sets_of_parameters_side_by_side_say_whom_only_one_fires_for(
    history: AlertHistory, book: Book, replayed: Replay
) -> None:
    settings = Settings(home=Path("nowhere"))
    rules = {"idle": history.rules["idle"]}
    before = replay(history.warehouse, settings, rules, FIRST, LAST)
    after = replay(history.warehouse, settings, rules, FIRST, LAST, {"idle": {"days": 2}})
    (found,) = diff(before, after, book)
    assert (found.in_both, found.only_before["account_id"].tolist()) == (2, ["a2"])
    assert found.only_after.empty
    assert (found.before.fired, found.after.fired) == (4, 1)
    shown = {str(row[0]): row[1:] for row in words.side_by_side(found).to_numpy().tolist()}
    assert shown["fired"] == ["4", "1"]
    assert shown["verdict"] == ["not held against an outcome"] * 2
    assert words.diff_headline(found) == "idle: 2 accounts with both; 1 only before, 0 only after."


def test_people_and_programs_read_the_same(replayed: Replay, reports: dict[str, RuleReport], book: Book) -> None:
    listed = list(reports.values())
    cards = scorecards(replayed.fired, replayed.watched(), book)
    assert words.headline(replayed, listed).startswith("A replay; nothing was written, nobody was told.")
    assert words.table(listed)["worst"].tolist()[0] == "2 (2025-03-10)"
    assert words.loudest(listed)["account_id"].tolist()[:2] == ["a0", "a1"]
    assert len(words.overlaps(overlap(replayed))) == 1
    assert words.notes(listed) == []
    objects = json.loads(json.dumps(as_plain(words.as_objects(listed, cards, overlap(replayed))), allow_nan=False))
    idle = next(each for each in objects if each["report"]["rule"] == "idle")
    assert idle["report"]["fired"] == 4
    assert idle["report"]["loudest"][0]["account_id"] == "a0"
    assert [each["other"] for each in idle["overlap"]] == ["happened"]
    assert idle["scorecard"]["verdict"] == "not held against an outcome"


def test_the_page_of_scorecards_escapes_names_and_is_the_same_twice(replayed: Replay, book: Book) -> None:
    cards = scorecards(replayed.fired, replayed.watched(), book)
    page = scorecard_page(cards)
    assert page == scorecard_page(cards)
    assert "not held against an outcome" in page
    assert all(in_words(card) in page for card in cards)
    assert headline(cards) in page
    assert table(cards)["rule"].tolist() == ["idle", "patient", "happened", "quiet"]
    assert "No scorecard yet" in scorecard_page([])
