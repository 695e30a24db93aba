"""How an alert goes on from evaluation to evaluation, and of what people are told."""

from datetime import timedelta

import pytest

from cs_pipeline.reports.alerts.lists import alerts
from tests.alerts.conftest import Watch
from tests.builders.alert_rules import DAY, START, Watched, rule


@pytest.mark.requirement("S1-01")
def test_an_alert_fires_once_and_ends_when_it_is_over(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    first = watched.tick("acme")
    assert (first.health, first.found, first.fired, watched.told(first.told.new)) == ("ok", 1, 1, ["acme"])
    second = watched.tick("acme")
    assert (second.fired, second.told.new, second.told.resolved) == (0, (), ())
    over = watched.tick()
    assert (over.resolved, watched.told(over.told.resolved)) == (1, ["acme"])
    assert watched.states() == [("acme", "resolved")]
    assert watched.run("select trigger_key, account_id, facts ->> 'rule' from cs.triggers") == [
        ("alert:idle:acme:1741672800", "acme", "idle")
    ]
    assert watched.run("select from_state, to_state, cause from cs.alert_changes order by change_id") == [
        (None, "firing", None),
        ("firing", "resolved", "condition"),
    ]


def listed(watched: Watched) -> dict[str, list[str]]:
    """Accounts of the alerts that people are to look after, and of those that are no news."""
    with watched.warehouse.session() as session:
        return {
            "open": sorted(alerts(session, watched.now, "open")["account_id"]),
            "baseline": sorted(alerts(session, watched.now, "baseline")["account_id"]),
        }


def test_what_holds_at_the_first_evaluation_is_a_baseline_told_as_one_count(watch: Watch) -> None:
    watched = watch(rule(), rule("other"))
    watched.find("acme", rule="other")
    first = watched.tick("acme", "brill")
    assert (first.is_baseline, first.fired, first.told.new) == (True, 2, ())
    assert watched.run("select subject, body from cs.notices") == [
        (
            "2 alert rules found what held already, 3 in all",
            "idle: 2\nother: 1\nThat is told to nobody, and no work for anybody; what is new from now on is. "
            "`cs-pipeline alert list --show baseline` lists it.",
        )
    ]
    assert watched.run("select * from cs.triggers") == []
    assert listed(watched) == {"open": [], "baseline": ["acme", "acme", "brill"]}
    news = watched.tick("acme", "brill", "cobalt")
    assert listed(watched)["open"] == ["cobalt"]
    assert watched.told(news.told.new) == ["cobalt"]
    assert len(watched.notices()) == 1
    assert watched.told(watched.tick().told.resolved) == ["cobalt"]


def test_a_rule_whose_first_run_is_loud_tells_of_what_holds_already(watch: Watch) -> None:
    watched = watch(rule(first_run="loud"))
    first = watched.tick("acme", "brill")
    assert watched.told(first.told.new) == ["acme", "brill"]
    assert watched.notices() == []


def test_for_is_counted_on_the_time_over_which_the_rule_was_watched(watch: Watch) -> None:
    watched = watch(rule(**{"for": "2 days"}))
    watched.begin()
    assert watched.tick("acme").fired == 0
    watched.run("alter view alerts.idle rename to lost")
    (frozen,) = watched.evaluate()
    watched.run("alter view alerts.lost rename to idle")
    assert (frozen.health, watched.states()) == ("error", [("acme", "pending")])
    assert watched.tick("acme").fired == 0  # two days by the calendar, one by the rule's clock
    assert watched.told(watched.tick("acme").told.new) == ["acme"]
    assert watched.run("select since, fired_at from cs.alerts") == [(START + DAY, START + 4 * DAY)]


def test_what_is_over_before_for_is_told_to_nobody_and_leaves_only_its_changes(watch: Watch) -> None:
    watched = watch(rule(**{"for": "3 days"}))
    watched.begin()
    watched.tick("acme")
    assert not watched.tick().told
    assert watched.states() == []
    assert watched.run("select from_state, to_state from cs.alert_changes order by change_id") == [
        (None, "pending"),
        ("pending", "gone"),
    ]
    watched.tick("acme")
    assert watched.tick("acme").fired == 0  # counted from its second sight


def test_an_alert_recovers_before_it_is_over_and_fires_on_as_the_same(watch: Watch) -> None:
    watched = watch(rule(resolve_after="2 evaluations"))
    watched.begin()
    watched.tick("acme")
    assert (watched.tick().resolved, watched.states()) == (0, [("acme", "recovering")])
    assert not watched.tick("acme").told
    assert watched.run("select state, fired_at, missing, missing_since from cs.alerts") == [
        ("firing", START + DAY, 0, None)
    ]
    watched.tick()
    over = watched.tick()
    assert watched.told(over.told.resolved) == ["acme"]
    assert watched.run("select ended_at, seen_at from cs.alerts") == [(START + 4 * DAY, START + 3 * DAY)]


def test_what_comes_back_soon_is_the_same_alert_and_told_in_the_digest_only(watch: Watch) -> None:
    watched = watch(rule(again_after="10 days"))
    watched.begin()
    watched.tick("acme")
    assert watched.told(watched.tick().told.resolved) == ["acme"]
    back = watched.tick("acme")
    assert (back.fired, back.told.new, watched.told(back.told.reopened)) == (0, (), ["acme"])
    assert watched.run("select count(*), min(reopened) from cs.alerts") == [(1, 1)]
    assert not watched.tick().told  # its end was told before
    watched.now += 9 * DAY
    again = watched.tick("acme")
    assert watched.told(again.told.new) == ["acme"]
    assert watched.run("select count(*) from cs.alerts") == [(2,)]
    assert watched.run("select count(*) from cs.triggers") == [(2,)]


def test_a_changed_rule_ends_what_it_no_longer_finds_silently_and_begins_with_a_baseline(watch: Watch) -> None:
    watched = watch(rule(resolve_after="3 evaluations"))
    watched.begin()
    watched.tick("acme", "brill")
    watched.change(**{"for": "1 days"})
    changed = watched.tick("brill", "cobalt")
    assert (changed.is_baseline, bool(changed.told)) == (True, False)
    assert watched.run("select entity, state, cause, is_baseline from cs.alerts order by alert_id") == [
        ("acme", "resolved", "rule_changed", False),
        ("brill", "firing", None, False),
        ("cobalt", "pending", None, True),
    ]
    for found in (["brill", "cobalt"], ["cobalt"], ["cobalt"]):
        assert not watched.tick(*found).told
    assert watched.told(watched.tick("cobalt").told.resolved) == ["brill"]


def test_words_of_a_rule_may_change_without_a_new_beginning(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    watched.tick("acme")
    watched.change(title="Another {entity}", severity="urgent", notify={"to": "manager"})
    assert not watched.tick("acme").is_baseline
    assert watched.run("select state, severity from cs.alerts") == [("firing", "urgent")]


def test_an_event_is_told_once_for_ever_and_closes_by_itself(watch: Watch) -> None:
    watched = watch(rule(nature="event", expires_after="3 days"))
    watched.begin()
    assert watched.told(watched.tick("acme").told.new) == ["acme"]
    watched.tick()
    assert watched.states() == [("acme", "firing")]  # an event does not stop having happened
    watched.tick()
    closed = watched.tick()
    assert (closed.closed, bool(closed.told)) == (1, False)
    assert watched.run("select state, cause from cs.alerts") == [("closed", "expired")]
    for _ in range(3):
        assert not watched.tick("acme").told
    assert watched.run("select count(*) from cs.alerts") == [(1,)]


def test_a_state_that_expires_stays_closed_while_it_holds_and_is_new_once_it_came_back(watch: Watch) -> None:
    watched = watch(rule(expires_after="2 days"))
    watched.begin()
    watched.tick("acme")
    watched.tick("acme")
    assert watched.tick("acme").closed == 1
    assert not watched.tick("acme").told
    watched.tick()
    assert watched.told(watched.tick("acme").told.new) == ["acme"]


def test_alerts_close_with_their_account(watch: Watch) -> None:
    watched = watch(rule(), rule("cancelled", covers_churned=True))
    watched.accounts("acme", "brill")
    watched.begin()
    watched.find("acme", "brill", rule="cancelled")
    watched.tick("acme", "brill")
    watched.run("update staging.stg_accounts set churned_at = %s where account_id = 'acme'", watched.now + DAY)
    closed = watched.tick("acme", "brill")
    assert (closed.found, closed.closed, bool(closed.told)) == (1, 1, False)
    assert watched.run("select rule, entity, state, cause from cs.alerts order by 1, 2") == [
        ("cancelled", "acme", "firing", None),
        ("cancelled", "brill", "firing", None),
        ("idle", "acme", "closed", "account_left"),
        ("idle", "brill", "firing", None),
    ]
    watched.tick("acme", "brill")
    assert watched.run("select count(*) from cs.alerts") == [(4,)]


def test_a_rule_that_is_removed_or_switched_off_closes_silently_and_begins_anew(watch: Watch) -> None:
    watched = watch(rule(), rule("other"))
    watched.begin()
    watched.tick("acme")
    idle = watched.rules.pop("idle")
    watched.evaluate()
    assert watched.run("select state, cause, ended_at from cs.alerts") == [("closed", "rule_removed", watched.now)]
    watched.rules["idle"] = idle
    back = watched.tick("acme", "brill")
    assert (back.is_baseline, back.fired, back.told.new) == (True, 2, ())


def test_a_moment_is_evaluated_once_and_a_missed_day_by_its_newest_only(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    watched.find("acme")
    watched.now += 5 * DAY
    (evaluation,) = watched.evaluate(timedelta(hours=3))
    assert evaluation.as_of == START + 5 * DAY
    assert watched.evaluate(timedelta(hours=3)) == []
    assert watched.run("select as_of from cs.alert_evaluations order by 1") == [(START,), (START + 5 * DAY,)]


def test_only_what_is_new_is_written(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    watched.tick("acme", "brill")
    before = watched.run("select ctid, xmin::text from cs.alerts order by alert_id")
    watched.tick("acme", "brill")
    assert watched.run("select ctid, xmin::text from cs.alerts order by alert_id") == before
    watched.run("update found set measured = 3 where entity = 'acme'")
    watched.evaluate()
    assert watched.run("select entity, measured from cs.alerts order by 1") == [("acme", 3.0), ("brill", 2.0)]
    assert watched.run("select count(*) from cs.alert_changes") == [(2,)]


@pytest.mark.requirement("S1-13")
def test_the_dedupe_key_is_the_rule_the_account_and_what_it_is_about(watch: Watch) -> None:
    watched = watch(rule(), rule("other"))
    watched.begin()
    watched.find("acme/u1", rule="other")
    first = watched.tick("acme/u1", "acme/u2", "brill/u1")
    assert len(first.told.new) == 3
    again = watched.tick("acme/u1", "acme/u2", "brill/u1", "acme")
    assert watched.told(again.told.new) == ["acme"]
    keys = watched.run("select rule, account_id, entity from cs.alerts order by alert_id")
    assert len(keys) == len(set(keys)) == 5


@pytest.mark.requirement("S1-13")
@pytest.mark.parametrize(("again_after", "told"), [(None, [2]), ("7 days", [2, 9, 16])])
def test_an_event_that_goes_on_is_told_again_once_its_period_is_over_and_not_before(
    watch: Watch, again_after: str | None, told: list[int]
) -> None:
    watched = watch(rule(nature="event", expires_after="1 day", again_after=again_after))
    watched.begin()
    assert [day for day in range(2, 19) if watched.tick("acme").told.new] == told


@pytest.mark.requirement("S1-02")
def test_a_rule_about_the_whole_result_may_speak_of_no_account(watch: Watch) -> None:
    watched = watch(rule("signups_low", mode="once"))
    watched.begin()
    watched.run("insert into found values ('signups_low', null, 'signups', 3)")
    (evaluation,) = watched.evaluate()
    assert watched.run(
        "select account_id, entity from cs.alerts where alert_id = any(%s)", list(evaluation.told.new)
    ) == [("", "signups")]
    assert watched.run("select * from cs.triggers") == []


def test_weekly_rules_are_asked_after_their_week_was_scored_and_only_of_the_newest(watch: Watch) -> None:
    watched = watch(rule(schedule="weekly"), rule("other"))
    assert [each.rule for each in watched.evaluate()] == ["other"]
    newest = START.date() - timedelta(days=7)
    assert watched.evaluate_week(newest - timedelta(days=7)) == []
    (evaluation,) = watched.evaluate_week(newest)
    assert (evaluation.rule, evaluation.as_of) == ("idle", START.replace(hour=0))
    assert watched.evaluate_week(newest) == []


def test_alerts_that_another_rule_stands_before_are_told_once_it_no_longer_does(watch: Watch) -> None:
    watched = watch(rule(inhibited_by=["worse"]), rule("worse"))
    watched.begin()
    watched.find("acme", rule="worse")
    inhibited = watched.tick("acme", "brill")
    assert (inhibited.inhibited, watched.told(inhibited.told.new)) == (1, ["brill"])
    assert watched.run("select inhibited_by from cs.alerts where rule = 'idle' order by entity") == [
        ("worse",),
        (None,),
    ]
    watched.find(rule="worse")
    after = watched.tick("acme", "brill")
    assert (after.inhibited, watched.told(after.told.new)) == (0, ["acme"])
    assert watched.run("select account_id from cs.triggers where facts ->> 'rule' = 'idle' order by trigger_id") == [
        ("brill",),
        ("acme",),
    ]


def test_who_flaps_is_told_of_once_and_of_its_end_once_within_again_after(watch: Watch) -> None:
    watched = watch(rule(resolve_after="2 evaluations", again_after="60 days"))
    watched.begin()
    told: dict[str, list[str]] = {f"every {period}": [] for period in range(1, 7)}
    for day in range(24):
        evaluation = watched.tick(*(name for name in told if day // int(name[-1]) % 2 == 0))
        for entity in watched.told(evaluation.told.new):
            told[entity].append("new")
        for entity in watched.told(evaluation.told.resolved):
            told[entity].append("resolved")
    assert told == {name: ["new", "resolved"] for name in told} | {"every 1": ["new"]}
    assert dict(watched.run("select entity, reopened from cs.alerts")) == {
        "every 1": 0, "every 2": 5, "every 3": 3, "every 4": 2, "every 5": 2, "every 6": 1,
    }  # fmt: skip
