"""How an alert goes on from evaluation to evaluation, and of what people are told."""

from tests.alerts.conftest import Watch
from tests.builders.alert_rules import rule


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


def test_what_holds_at_the_first_evaluation_is_a_baseline_told_as_one_count(watch: Watch) -> None:
    watched = watch(rule())
    first = watched.tick("acme", "brill")
    assert (first.is_baseline, first.fired, first.told.new) == (True, 2, ())
    assert watched.notices() == ["Alert rule idle found what held already"]
    assert watched.run("select * from cs.triggers") == []
    news = watched.tick("acme", "brill", "cobalt")
    assert watched.told(news.told.new) == ["cobalt"]
