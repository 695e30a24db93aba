"""A rule that cannot be asked freezes its alerts, leaves the others alone, and operations hear of it once a day."""

from datetime import timedelta

import pytest

from cs_pipeline.alerts import notifications, rule_transaction
from tests.alerts.conftest import Watch
from tests.builders.alert_rules import DAY, START, Watched, rule

FAILING = "Alert rule idle cannot be asked"


def bodies(watched: Watched) -> list[str]:
    return [row[0] for row in watched.run("select body from cs.notices where subject like '%cannot be asked'")]


def healths(watched: Watched) -> dict[str, str]:
    return {each.rule: each.health for each in watched.evaluate()}


@pytest.mark.parametrize(
    ("breaks", "words"),
    [
        ("drop view alerts.idle", "the view alerts.idle is not built; `dbt build --select idle` builds it"),
        ("update found set measured = 0 where rule = 'idle'", "division by zero"),
        (
            "insert into found values ('idle', 'acme', 'acme', 1)",
            "it returned 2 rows for account 'acme' and entity 'acme' at 2025-03-12 06:00:00+00; a key comes once",
        ),
        ("insert into found values ('idle', 'acme', null, 1)", "a row of account 'acme' has no entity"),
        (
            "insert into found values ('idle', null, 'u1', 1)",
            "a row of entity 'u1' has no account; mode: per_row needs one",
        ),
        (
            "drop view alerts.idle; create view alerts.idle as select 1 as account_id",
            "the view alerts.idle has the columns account_id; "
            "expected as_of, account_id, entity, measured, held_against, facts",
        ),
        (
            "create or replace view alerts.idle as select timestamptz '2025-01-01 00:00Z' as as_of, account_id, "
            "entity, measured, 1::double precision as held_against, '{}'::jsonb as facts from found",
            "it returned a row as of 2025-01-01 00:00:00+00, which nobody asked; take as_of from moments()",
        ),
        (
            "create or replace view alerts.idle as select moment::timestamptz as as_of, account_id, entity, "
            "measured, 1::double precision as held_against, '[]'::jsonb as facts from found "
            "cross join unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) as moments (moment)",
            "the facts of account 'acme' and entity 'acme' are no object",
        ),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_asked_freezes_its_alerts_and_leaves_the_others(
    watch: Watch, breaks: str, words: str
) -> None:
    watched = watch(rule(), rule("other"))
    watched.run("alter view alerts.idle rename to idle_source")
    watched.run(
        "create view alerts.idle as select as_of, account_id, entity, 1 / measured as measured, held_against, facts "
        "from alerts.idle_source"
    )
    watched.begin()
    watched.tick("acme")
    before = watched.run("select * from cs.alerts")
    watched.find("brill", rule="other")
    watched.run(breaks)
    assert healths(watched) == {"idle": "error", "other": "ok"}
    assert watched.run("select * from cs.alerts where rule = 'idle'") == before
    assert watched.states("other") == [("brill", "firing")]
    assert watched.run("select error from cs.alert_evaluations where health = 'error'") == [(words,)]
    assert bodies(watched) == [
        f"idle: {words}.\nTheir alerts stay as they are, and nobody is told anything new of them, until they can be. "
        "`cs-pipeline alert rules` says what is so now."
    ]


def test_operations_hear_of_a_failing_rule_once_a_day_and_of_all_in_one_notice(watch: Watch) -> None:
    watched = watch(rule(schedule="hourly"), rule("other", schedule="hourly"), rule("well", schedule="hourly"))
    watched.begin()
    watched.run("drop view alerts.idle; drop view alerts.other")
    for _ in range(17):
        watched.evaluate(timedelta(hours=1))
    assert watched.notices() == ["2 alert rules cannot be asked"]
    watched.evaluate(timedelta(hours=1))  # midnight
    assert len(watched.notices()) == 2


def test_a_failed_moment_is_asked_again_until_it_is_known(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    watched.find("acme")
    watched.run("alter view alerts.idle rename to gone")
    assert healths(watched) == {"idle": "error"}
    watched.run("alter view alerts.gone rename to idle")
    (evaluation,) = watched.evaluate(timedelta(hours=1))
    assert (evaluation.health, evaluation.as_of, evaluation.clock) == ("ok", START + DAY, 86_400)
    assert watched.run("select count(*) from cs.alert_evaluations") == [(2,)]
    assert watched.evaluate(timedelta(hours=1)) == []


def test_a_rule_that_takes_too_long_is_cut_off(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = watch(rule(), rule("other"))
    watched.begin()
    watched.run(
        "create or replace view alerts.idle as select cast(moment as timestamptz) as as_of, 'a' as account_id, "
        "coalesce(pg_sleep(3)::text, '') || 'a' as entity, 1::double precision as measured, "
        "1::double precision as held_against, '{}'::jsonb as facts "
        "from unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) "
        "as moments (moment)"
    )
    monkeypatch.setattr(rule_transaction, "LONGEST", timedelta(milliseconds=200))
    watched.find("brill", rule="other")
    assert healths(watched) == {"idle": "error", "other": "ok"}
    assert watched.run("select error from cs.alert_evaluations where health = 'error'") == [
        ("canceling statement due to statement timeout",)
    ]


def test_a_rule_whose_tables_are_locked_waits_a_little_and_leaves_the_others(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(rule(), rule("other"))
    watched.begin()
    watched.run("create table apart (rule text, account_id text, entity text, measured double precision)")
    definition = watched.run("select pg_get_viewdef('alerts.idle'::regclass)")[0][0]
    watched.run(f"create or replace view alerts.idle as {definition.replace('found', 'apart')}")
    monkeypatch.setattr(rule_transaction, "LOCK_PATIENCE", timedelta(milliseconds=100))
    watched.find("brill", rule="other")
    with watched.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("lock table apart in access exclusive mode")
        assert healths(watched) == {"idle": "error", "other": "ok"}
    assert watched.run("select error from cs.alert_evaluations where health = 'error'") == [
        ("canceling statement due to lock timeout",)
    ]


def test_a_rule_whose_connection_is_lost_leaves_the_others(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = watch(rule(), rule("other"))
    watched.begin()
    watched.find("brill", rule="other")
    watched.run(
        "create or replace view alerts.idle as select cast(moment as timestamptz) as as_of, 'a' as account_id, "
        "pg_terminate_backend(pg_backend_pid())::text as entity, 1::double precision as measured, "
        "1::double precision as held_against, '{}'::jsonb as facts "
        "from unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) as moments (moment)"
    )
    assert healths(watched) == {"idle": "error", "other": "ok"}
    assert watched.run("select health from cs.alert_evaluations where as_of > %s order by rule", START) == [
        ("error",),
        ("ok",),
    ]


def test_a_defect_of_the_program_is_raised_after_the_other_rules_were_evaluated(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(rule(), rule("other"))
    watched.begin()
    watched.find("acme")
    watched.find("brill", rule="other")
    told = notifications.tell

    def tell(session, of, *rest) -> None:
        if of.name == "idle":
            raise ZeroDivisionError
        told(session, of, *rest)

    monkeypatch.setattr(notifications, "tell", tell)
    with pytest.raises(ZeroDivisionError):
        watched.evaluate()
    assert (watched.states(), watched.states("other")) == ([], [("brill", "firing")])
    monkeypatch.undo()
    (evaluation,) = watched.evaluate(timedelta())
    assert watched.told(evaluation.told.new) == ["acme"]


# Data that is too old to be believed --------------------------------------------------------------------------------


def fed(watched: Watched) -> None:
    watched.run("create schema if not exists staging")
    watched.run("create table staging.stg_tickets (created_at timestamptz, _loaded_at timestamptz)")


def test_a_dead_feed_is_no_data_and_freezes_instead_of_alarming(watch: Watch) -> None:
    watched = watch(rule(needs_fresh={"tickets": "2 days"}), rule("other"))
    fed(watched)
    watched.run("insert into staging.stg_tickets values (%s)", START)
    watched.begin()
    watched.tick("acme")
    before = watched.run("select * from cs.alerts")
    watched.find()
    watched.find("acme", rule="other")
    assert healths(watched) == {"idle": "no_data", "other": "ok"}
    assert watched.run("select * from cs.alerts where rule = 'idle'") == before
    assert watched.notices()[-1] == FAILING
    assert "tickets has no row newer than 2 days at 2025-03-12 06:00 UTC" in bodies(watched)[0]
    watched.run("insert into staging.stg_tickets values (%s)", watched.now)
    (evaluation, *_) = watched.evaluate(timedelta(hours=1))  # late, and of the same moment
    assert watched.told(evaluation.told.resolved) == ["acme"]


SEES = """
create or replace view alerts.idle as
select
    asked.moment::timestamptz as as_of, found.account_id, found.entity, days.missed as measured,
    0::double precision as held_against, '{}'::jsonb as facts
from unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) as asked (moment)
cross join (select current_setting('cs_pipeline.days_missed', true)::double precision as missed) as days
inner join found
    on found.happened_at > asked.moment::timestamptz - make_interval(days => days.missed::integer + 1)
    and found.happened_at <= asked.moment::timestamptz
"""


@pytest.mark.parametrize("outage", ["nobody asked", "no data"])
def test_what_happened_in_an_outage_is_found_after_it(watch: Watch, outage: str) -> None:
    watched = watch(rule(nature="event", expires_after="14 days", needs_fresh={"tickets": "2 days"}))
    fed(watched)
    watched.run("alter table found add happened_at timestamptz")
    watched.run(SEES)
    watched.run("insert into staging.stg_tickets values (%s)", START)
    watched.begin()
    happened = "insert into found values ('idle', %(who)s, %(who)s, 0, %(at)s)"
    with watched.warehouse.session() as session, session.cursor() as cursor:
        for who, days in (("acme", 2), ("brill", 9)):
            cursor.execute(happened, {"who": who, "at": START + days * DAY})
    if outage == "no data":
        assert {each.health for _ in range(9) for each in watched.evaluate()} == {"ok", "no_data"}
        watched.now -= 9 * DAY
    watched.run("update staging.stg_tickets set created_at = %s", START + 10 * DAY)
    (evaluation,) = watched.evaluate(10 * DAY)
    seen = {"nobody asked": START, "no data": START + DAY}[outage]
    assert watched.told(evaluation.told.new) == ["acme", "brill"]
    assert watched.run("select distinct measured from cs.alerts") == [((START + 9 * DAY - seen) / DAY,)]
    watched.run("update staging.stg_tickets set created_at = %s", START + 11 * DAY)
    (evaluation,) = watched.evaluate()
    assert (evaluation.found, evaluation.told.new) == (0, ()), "once is enough"


@pytest.mark.parametrize(
    ("row", "is_fresh"),
    [
        ((START - 2 * DAY + timedelta(seconds=1), None), True),
        ((START - 2 * DAY, None), False),
        ((START - 90 * DAY, START - DAY), True),
        ((START - 90 * DAY, START + DAY), False),
        ((START + DAY, None), False),
    ],
)  # fmt: skip
def test_fresh_is_what_happened_or_arrived_within_the_time_before_the_moment(
    watch: Watch, row: tuple, is_fresh: bool
) -> None:
    watched = watch(rule(needs_fresh={"tickets": "2 days"}))
    fed(watched)
    watched.run("insert into staging.stg_tickets values (%s, %s)", *row)
    assert healths(watched) == {"idle": "ok" if is_fresh else "no_data"}


def test_a_feed_whose_newest_load_brought_rows_is_fresh(watch: Watch) -> None:
    watched = watch(rule(needs_fresh={"tickets": "2 days"}))
    fed(watched)
    watched.run("insert into staging.stg_tickets values (%s)", START - 90 * DAY)
    for rows, expected in ((0, "no_data"), (1, "ok")):
        watched.run(
            "insert into cs.loads (source_table, origin, rows_loaded, finished_at) values ('tickets', 'file', %s, %s)",
            rows,
            START - timedelta(hours=1) if rows == 0 else START,
        )
        assert healths(watched) == {"idle": expected}


@pytest.mark.parametrize("is_built", [False, True])
def test_a_table_that_nobody_ever_fed_is_no_data_and_told_of_once(watch: Watch, is_built: bool) -> None:
    watched = watch(rule(needs_fresh={"tickets": "2 days"}))
    if is_built:
        fed(watched)
    for _ in range(4):
        assert healths(watched) == {"idle": "no_data"}
    assert watched.notices() == [FAILING]


def test_a_rule_that_never_had_data_new_enough_is_told_of_once_and_daily_once_it_had(watch: Watch) -> None:
    watched = watch(rule(needs_fresh={"tickets": "2 days"}))
    fed(watched)
    watched.run("insert into staging.stg_tickets values (%s)", START - 90 * DAY)
    for _ in range(4):
        assert healths(watched) == {"idle": "no_data"}
    (body,) = bodies(watched)
    assert "`enabled: false` in alerts.yaml" in body
    watched.run("insert into staging.stg_tickets values (%s)", watched.now)
    assert healths(watched) == {"idle": "ok"}
    for _ in range(4):
        watched.evaluate()
    assert [each for each in watched.notices() if each == FAILING] == [FAILING] * (1 + 4)
    assert "enabled" not in bodies(watched)[-1]


# The clock ----------------------------------------------------------------------------------------------------------


def test_a_clock_that_was_set_back_does_nothing_and_says_so(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    watched.tick("acme")
    watched.find()
    before = watched.run("select * from cs.alerts")
    assert watched.evaluate(-3 * DAY) == []
    assert watched.evaluate(timedelta(hours=1)) == []
    assert watched.run("select * from cs.alerts") == before
    assert watched.notices() == ["Alert rules are not evaluated: the clock was set back"]
    (evaluation,) = watched.evaluate(4 * DAY)
    assert watched.told(evaluation.told.resolved) == ["acme"]


def test_a_schedule_that_became_rarer_is_no_clock_that_was_set_back(watch: Watch) -> None:
    watched = watch(rule(schedule="hourly"))
    watched.begin()
    watched.evaluate(timedelta(hours=5))
    watched.change(schedule="daily")
    assert watched.evaluate(timedelta(hours=1)) == []
    assert watched.notices() == []
