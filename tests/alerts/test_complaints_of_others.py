"""What users of other alerting systems complain of, each as something that does not happen here.

Elementary, Grafana, Alertmanager, Redash, Metabase, Superset, LogicLoop and Gainsight; numbers are of their issues.
"""

from datetime import timedelta

import pytest

from cs_pipeline.alerts import decisions, notifications
from cs_pipeline.alerts.evaluate import evaluate_rules
from cs_pipeline.alerts.retention import ALERTS, CHANGES
from tests.alerts.conftest import Watch
from tests.builders.alert_rules import DAY, START, Watched, rule

HOUR = timedelta(hours=1)


def news(watched: Watched, times: int, *entities: str, after: timedelta = HOUR) -> list[list[str]]:
    """What is told as new at so many evaluations in a row that find these."""
    watched.find(*entities)
    return [watched.told(each.told.new) for _ in range(times) for each in watched.evaluate(after)]


def test_dbt_replaces_previous_failures_here_it_is_known_since_when(watch: Watch) -> None:
    watched = watch(rule(schedule="hourly"))
    watched.begin()
    news(watched, 5, "acme")
    assert watched.run("select since, fired_at from cs.alerts") == [(START + HOUR, START + HOUR)]


@pytest.mark.parametrize("issue", ["elementary #441", "Metabase #56978"])
def test_the_same_failure_is_not_told_at_every_run(watch: Watch, issue: str) -> None:
    watched = watch(rule(schedule="hourly"))
    watched.begin()
    assert news(watched, 48, "acme") == [["acme"], *[[]] * 47]


@pytest.mark.parametrize("issue", ["elementary #759", "elementary #1511", "Alertmanager #2398"])
def test_suppression_that_is_set_is_honoured_however_often_it_fires_again(watch: Watch, issue: str) -> None:
    watched = watch(rule(schedule="hourly", again_after="2 days"))
    watched.begin()
    told = []
    for _ in range(8):
        told += news(watched, 1, "acme") + news(watched, 1)
    assert told == [["acme"], *[[]] * 15]


@pytest.mark.parametrize("issue", ["Grafana #6934", "Grafana #37461", "raintank #458"])
def test_what_flaps_within_resolve_after_goes_on_as_one(watch: Watch, issue: str) -> None:
    watched = watch(rule(schedule="hourly", resolve_after="3 evaluations"))
    watched.begin()
    told = [each for _ in range(6) for each in news(watched, 1, "acme") + news(watched, 2)]
    assert told == [["acme"], *[[]] * 17]
    assert watched.run("select count(*), min(reopened), min(state) from cs.alerts") == [(1, 0, "recovering")]


def test_pending_is_reset_when_the_condition_breaks_grafana_46912(watch: Watch) -> None:
    watched = watch(rule(schedule="hourly", **{"for": "3 hours"}))
    watched.begin()
    assert news(watched, 3, "acme") == [[], [], []]
    assert news(watched, 1) == [[]]
    assert news(watched, 4, "acme") == [[], [], [], ["acme"]]


def dead_feed(watched: Watched) -> None:
    watched.run(
        "create schema staging; create table staging.stg_tickets (created_at timestamptz, _loaded_at timestamptz)"
    )
    watched.run("insert into staging.stg_tickets values (%s)", START - HOUR)


def test_no_data_does_not_pass_by_for_and_is_no_other_alert_grafana_16290_90447(watch: Watch) -> None:
    watched = watch(rule(schedule="hourly", needs_fresh={"tickets": "2 hours"}, **{"for": "1 hour"}))
    dead_feed(watched)
    watched.begin()
    watched.find("acme")
    assert [each.health for _ in range(4) for each in watched.evaluate(HOUR)] == ["no_data"] * 4
    assert watched.run("select * from cs.alerts") == []
    assert watched.run("select * from cs.triggers") == []
    assert watched.notices() == ["Alert rule idle cannot be asked"]  # to operations, who have no silence of customers


def test_no_data_is_called_no_data_and_an_error_error_grafana_39711(watch: Watch) -> None:
    watched = watch(rule(needs_fresh={"tickets": "2 hours"}), rule("broken"))
    dead_feed(watched)
    watched.run("drop view alerts.broken")
    watched.evaluate(DAY + 5 * HOUR)
    watched.now += DAY
    assert {each.rule: each.health for each in watched.evaluate(HOUR)} == {"idle": "no_data", "broken": "error"}


def test_a_missing_series_is_not_resolved_by_its_feed_dying_grafana(watch: Watch) -> None:
    watched = watch(rule(schedule="hourly", needs_fresh={"tickets": "2 hours"}))
    dead_feed(watched)
    watched.begin()
    watched.run("update staging.stg_tickets set created_at = %s", START + HOUR)
    news(watched, 1, "acme")
    assert news(watched, 5, after=3 * HOUR) == [[]] * 5
    assert watched.states() == [("acme", "firing")]


@pytest.mark.parametrize("issue", ["Grafana #68162", "Alertmanager #878", "alerting #156"])
def test_a_restart_loses_neither_states_nor_the_news_that_it_is_over(watch: Watch, issue: str) -> None:
    watched = watch(rule(schedule="hourly", resolve_after="2 evaluations"))
    watched.begin()
    news(watched, 1, "acme")
    watched.find()
    watched.evaluate(HOUR)
    restarted = dict(watched.rules)  # nothing is kept in memory: all that is known stands in the database
    watched.now += HOUR
    (evaluation,) = evaluate_rules(watched.warehouse, restarted, watched.settings, watched.now)
    assert watched.told(evaluation.told.resolved) == ["acme"]


@pytest.mark.parametrize("issue", ["Alertmanager #4008", "Alertmanager #2447", "Metabase #69577"])
def test_a_replica_does_not_tell_again_what_another_has_told(watch: Watch, issue: str) -> None:
    watched = watch(rule(schedule="hourly"))
    watched.begin()
    assert news(watched, 1, "acme") == [["acme"]]
    watched.find()
    assert len(watched.evaluate(HOUR)) == 1
    late = watched.now - HOUR
    watched.find("acme")
    for now in (watched.now, late, late + timedelta(minutes=5)):
        assert evaluate_rules(watched.warehouse, watched.rules, watched.settings, now) == []
    assert watched.run("select count(*) from cs.triggers") == [(1,)]


def test_repeating_longer_than_what_is_kept_does_not_repeat_early_alertmanager(watch: Watch) -> None:
    watched = watch(rule(nature="event", expires_after="1 day"))
    watched.begin()
    watched.tick("acme")
    for _ in range(3):
        watched.find("acme")
        watched.evaluate(ALERTS - DAY)
    assert watched.run("select state, cause from cs.alerts") == [("closed", "expired")]
    assert watched.run("select count(*) from cs.triggers") == [(1,)]


def test_every_row_counts_not_only_the_first_or_the_largest_redash(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    watched.tick("acme")
    watched.add("brill", measured=1)
    watched.add("cobalt", measured=0)
    (evaluation,) = watched.evaluate()
    assert watched.told(evaluation.told.new) == ["brill", "cobalt"]


def test_who_dies_between_storing_and_telling_loses_no_message_redash(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(rule())
    watched.begin()
    watched.find("acme")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(notifications, "tell", dies)
        with pytest.raises(KeyboardInterrupt):
            watched.evaluate()
    assert watched.states() == []
    (evaluation,) = evaluate_rules(watched.warehouse, watched.rules, watched.settings, watched.now)
    assert watched.told(evaluation.told.new) == ["acme"]


def test_a_rule_goes_on_after_its_first_time_and_is_reset_once_back_to_normal_metabase_6647_61237(watch: Watch) -> None:
    watched = watch(rule(schedule="hourly"))
    watched.begin()
    assert news(watched, 2, "acme") + news(watched, 2) + news(watched, 2, "acme") == [
        ["acme"],
        [],
        [],
        [],
        ["acme"],
        [],
    ]


def test_nothing_is_told_once_the_condition_is_gone_metabase_65228(watch: Watch) -> None:
    watched = watch(rule(schedule="hourly"))
    watched.begin()
    with watched.warehouse.session() as session:
        decisions.silence(session, "idle", None, watched.now + 3 * HOUR, "known", "kim", watched.now)
    news(watched, 1, "acme")
    watched.find()
    assert not any(each.told for _ in range(9) for each in watched.evaluate(HOUR))


def test_no_run_is_skipped_superset_13430(watch: Watch) -> None:
    watched = watch(rule(schedule="*/15 * * * *"))
    watched.begin()
    evaluations = [each for _ in range(12) for each in watched.evaluate(timedelta(minutes=15))]
    assert [each.as_of for each in evaluations] == [START + timedelta(minutes=15 * step) for step in range(1, 13)]


def test_more_than_a_thousand_rows_are_all_acted_on_logicloop(watch: Watch) -> None:
    watched = watch(rule(limits={"accounts": 5_000}))
    watched.begin()
    watched.run("insert into found select 'idle', 'a' || n, 'a' || n, 1 from generate_series(1, 2500) as n")
    (evaluation,) = watched.evaluate()
    assert len(evaluation.told.new) == 2500
    assert watched.run("select count(*) from cs.triggers") == [(2500,)]


def test_fewer_than_so_many_is_also_found_where_there_is_no_row_logicloop(watch: Watch) -> None:
    watched = watch(rule(schedule="hourly", mode="once"))
    watched.run(
        """
        create or replace view alerts.idle as
        select
            cast(moment as timestamptz) as as_of, ''::text as account_id, 'few'::text as entity,
            counted.times::double precision as measured, 2::double precision as held_against, '{}'::jsonb as facts
        from unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) as moments (moment)
        cross join (select count(*) as times from found) as counted
        where counted.times < 2
        """
    )
    watched.find("acme", "brill")
    watched.begin()
    assert news(watched, 1, "acme", "brill") + news(watched, 2) == [[], ["few"], []]
    assert watched.run("select measured from cs.alerts") == [(0,)]


def test_what_was_told_is_one_alert_whatever_its_title_and_figures_say_gainsight(watch: Watch) -> None:
    watched = watch(rule(title="{entity} at {measured:.2f}"))
    watched.begin()
    told = []
    for day in range(4):
        watched.find("acme", measured=day + 0.5)
        told += [watched.told(each.told.new) for each in watched.evaluate()]
    assert told == [["acme"], [], [], []]
    assert watched.run("select count(*), max(measured) from cs.alerts") == [(1, 3.5)]


def test_what_is_over_long_ago_is_forgotten_gainsight(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    watched.tick("acme", "brill")
    watched.tick("brill")
    watched.evaluate(ALERTS)
    assert watched.states() == [("acme", "resolved"), ("brill", "firing")]
    watched.evaluate(DAY)
    assert watched.states() == [("brill", "firing")]
    watched.evaluate(CHANGES)
    assert watched.run("select entity from cs.alert_changes") == []
    assert watched.run("select count(*) from cs.alert_evaluations") == [(2,)]


@pytest.mark.slow(seconds=10)
def test_a_hundred_thousand_rows_at_once_are_held_and_one_message_is_told_gainsight(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    watched.run("insert into found select 'idle', 'a' || n, 'a' || n, 1 from generate_series(1, 100000) as n")
    (held,) = watched.evaluate()
    assert (held.health, held.fired, held.held, bool(held.told)) == ("held", 100_000, 100_000, False)
    assert watched.notices() == ["Alert rule idle would tell of 100,000 alerts at once, so nobody was told"]
    assert watched.run("select count(*) from cs.triggers") == [(0,)]
