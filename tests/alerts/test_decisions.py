"""What people decide about alerts, and what is held until they do."""

from datetime import timedelta

import pytest

from cs_pipeline.alerts import decisions
from cs_pipeline.errors import UserError
from tests.alerts.conftest import Watch
from tests.builders.alert_rules import DAY, START, Watched, rule

MANY = [f"a{number}" for number in range(4)]


def ids(watched: Watched, *entities: str) -> list[int]:
    rows = watched.run("select alert_id from cs.alerts where entity = any(%s) order by 1", list(entities))
    return [alert_id for (alert_id,) in rows]


def decide(watched: Watched, decision, *arguments):
    with watched.warehouse.session() as session:
        return decision(session, *arguments)


def log(watched: Watched) -> list[tuple]:
    return watched.run(
        "select entity, from_state, to_state, cause, decided_by from cs.alert_changes where decided_by is not null "
        "order by change_id"
    )


# What is held -------------------------------------------------------------------------------------------------------


def test_more_than_both_limits_is_held_and_operations_are_asked_once(watch: Watch) -> None:
    watched = watch(rule(limits={"accounts": 3, "share": 0.5}))
    watched.accounts(*MANY, "b", "c", "d")
    watched.begin()
    held = watched.tick(*MANY)
    assert (held.health, held.fired, held.held, bool(held.told)) == ("held", 4, 4, False)
    assert watched.run("select distinct state, is_held, told_at from cs.alerts") == [("firing", True, None)]
    assert watched.run("select count(*) from cs.triggers") == [(0,)]
    assert watched.run("select subject, body from cs.notices") == [
        (
            "Alert rule idle would tell of 4 alerts at once, so nobody was told",
            "They are of 4 accounts. If that is right, `cs-pipeline alert release idle`; "
            "if not, `cs-pipeline alert dismiss idle`.",
        )
    ]
    later = watched.tick(*MANY, "b")
    assert (later.health, later.held, bool(later.told)) == ("held", 5, False)  # waits with them
    assert len(watched.notices()) == 1


@pytest.mark.parametrize("limits", [{"accounts": 4, "share": 0.5}, {"accounts": 3, "share": 0.6}])
def test_as_many_as_either_limit_are_told(watch: Watch, limits: dict[str, float]) -> None:
    watched = watch(rule(limits=limits))
    watched.accounts(*MANY, "b", "c", "d")
    watched.begin()
    assert watched.told(watched.tick(*MANY).told.new) == MANY


def test_many_alerts_of_few_accounts_are_told(watch: Watch) -> None:
    watched = watch(rule(limits={"accounts": 1}))
    watched.begin()
    assert len(watched.tick("acme/1", "acme/2", "acme/3").told.new) == 3


def test_releasing_tells_of_those_that_fire_still(watch: Watch) -> None:
    watched = watch(rule(limits={"accounts": 3}))
    watched.begin()
    watched.tick(*MANY)
    watched.tick(*MANY[1:])
    noon = watched.now + timedelta(hours=6)
    assert decide(watched, decisions.release, watched.rules["idle"], "kim", watched.settings, noon) == 3
    assert watched.run("select subject_id, occurred_at from cs.triggers order by trigger_id") == [
        (entity, noon) for entity in MANY[1:]
    ]
    assert log(watched) == [(entity, "firing", "firing", "released", "kim") for entity in MANY[1:]]
    after = watched.tick(*MANY[1:])
    assert (after.health, bool(after.told)) == ("ok", False)
    assert watched.told(watched.tick().told.resolved) == MANY[1:]
    with pytest.raises(UserError, match="holds nothing"):
        decide(watched, decisions.release, watched.rules["idle"], "kim", watched.settings, noon)


def test_dismissing_closes_them_and_they_stay_closed_while_they_hold(watch: Watch) -> None:
    watched = watch(rule(limits={"accounts": 3}))
    watched.begin()
    watched.tick(*MANY)
    assert decide(watched, decisions.dismiss, "idle", "kim", watched.now) == 4
    assert watched.run("select distinct state, cause, is_held from cs.alerts") == [("closed", "dismissed", False)]
    assert log(watched)[0] == ("a0", "firing", "closed", "dismissed", "kim")
    after = watched.tick(*MANY, "b")
    assert (after.health, watched.told(after.told.new)) == ("ok", ["b"])
    watched.tick("b")
    assert watched.told(watched.tick("a0", "b").told.new) == ["a0"]  # gone, and back
    with pytest.raises(UserError, match="holds nothing"):
        decide(watched, decisions.dismiss, "idle", "kim", watched.now)


def test_what_is_silenced_for_many_accounts_and_ends_at_once_is_held_as_well(watch: Watch) -> None:
    watched = watch(rule(limits={"accounts": 3}))
    watched.begin()
    decide(watched, decisions.silence, "idle", None, START + 4 * DAY, "known outage", "kim", watched.now)
    for count in (2, 4):
        assert not watched.tick(*MANY[:count]).told
    assert watched.tick(*MANY).health == "ok"
    assert watched.tick(*MANY).held == 4


# Silences, snoozes, acknowledgements --------------------------------------------------------------------------------


@pytest.mark.parametrize(("of", "account"), [("idle", None), (None, "acme"), ("idle", "acme")])
def test_a_silenced_alert_changes_state_and_is_told_when_the_silence_ends(
    watch: Watch, of: str | None, account: str | None
) -> None:
    watched = watch(rule())
    watched.begin()
    decide(watched, decisions.silence, of, account, START + 3 * DAY, "known", "kim", watched.now)
    silent = watched.tick("acme", "brill")
    assert watched.told(silent.told.new) == ([] if account is None else ["brill"])
    assert watched.states() == [("acme", "firing"), ("brill", "firing")]
    watched.tick("acme", "brill")
    assert "acme" in watched.told(watched.tick("acme", "brill").told.new)


def test_a_silence_that_is_lifted_is_over(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    silence = decide(watched, decisions.silence, "idle", None, START + 90 * DAY, "known", "kim", watched.now)
    assert not watched.tick("acme").told
    decide(watched, decisions.lift, silence, watched.now)
    assert watched.told(watched.tick("acme").told.new) == ["acme"]
    with pytest.raises(UserError, match="over already"):
        decide(watched, decisions.lift, silence, watched.now)


def test_the_end_of_a_silenced_alert_is_not_told(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    watched.tick("acme", "brill")
    decide(watched, decisions.silence, None, "acme", START + 90 * DAY, "known", "kim", watched.now)
    assert watched.told(watched.tick().told.resolved) == ["brill"]


def test_a_snoozed_alert_is_told_again_at_the_end_if_it_fires_still(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    watched.tick("acme", "brill")
    until = watched.now + 2 * DAY
    assert decide(watched, decisions.snooze, ids(watched, "acme", "brill"), until, " later ", "kim", watched.now) == 2
    assert not watched.tick("acme", "brill").told.woken
    woken = watched.tick("acme")
    assert (watched.told(woken.told.woken), watched.told(woken.told.resolved)) == (["acme"], ["brill"])
    assert not watched.tick("acme").told
    assert log(watched)[0] == ("acme", "firing", "firing", "snoozed", "kim")
    assert watched.run("select snooze_reason from cs.alerts where entity = 'acme'") == [("later",)]


def test_an_alert_is_acknowledged_once_by_whom_did_it_first(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    watched.tick("acme", "brill")
    both = ids(watched, "acme", "brill")
    assert decide(watched, decisions.acknowledge, both[:1], "kim", watched.now) == 1
    assert decide(watched, decisions.acknowledge, both, "lee", watched.now) == 1
    assert watched.run("select acknowledged_by from cs.alerts order by alert_id") == [("kim",), ("lee",)]


def test_what_is_over_or_not_there_cannot_be_decided_on_and_nothing_is(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    watched.tick("acme", "brill")
    watched.tick("brill")
    acme, brill = ids(watched, "acme", "brill")
    with pytest.raises(UserError, match=f"no open alert {acme}, 999"):
        decide(watched, decisions.acknowledge, [brill, acme, 999], "kim", watched.now)
    assert log(watched) == []


def test_a_silence_or_snooze_needs_an_end_to_come_a_reason_and_something_to_be_about(watch: Watch) -> None:
    watched = watch(rule())
    until, now = START + DAY, START
    with pytest.raises(UserError, match="is past"):
        decide(watched, decisions.silence, "idle", None, now, "known", "kim", now)
    with pytest.raises(UserError, match="Say why"):
        decide(watched, decisions.silence, "idle", None, until, " ", "kim", now)
    with pytest.raises(UserError, match="which rule or which account"):
        decide(watched, decisions.silence, None, None, until, "known", "kim", now)
    with pytest.raises(UserError, match="is past"):
        decide(watched, decisions.snooze, [], now, "known", "kim", now)
