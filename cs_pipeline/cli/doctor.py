"""What `doctor` finds: what is configured, what can be reached, what is missing, and what to do about it."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from cs_pipeline.channels.registry import carrier_of, missing
from cs_pipeline.cli.code_location import why_not_loaded
from cs_pipeline.cli.finding import Finding
from cs_pipeline.cli.outbox_findings import outbox_findings
from cs_pipeline.cli.processes import Processes
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.history.holes import holes, words_of
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.warehouse.locate import embedded_server, locate
from cs_pipeline.warehouse.trial import try_out

IS_NOT_MIGRATED = (  # `to_regclass` would ask for a right on the schema
    "select not exists (select from pg_class where relname = 'actions' and relnamespace = to_regnamespace('cs'))"
)
NAMED = 5  # accounts that a finding names


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, in the order in which a new user meets the parts."""
    yield _clock(settings)
    yield _delivery(settings)
    yield _texts(settings)
    yield from _guarded("chat", lambda: [_chat(settings)])
    yield from _guarded("playbooks", lambda: [_playbooks(settings)])
    yield from _guarded("score models", lambda: [_score_models(settings)])
    if settings.database_url is None and not embedded_server(settings).is_there:
        brings = "`cs-pipeline load DIR`, `data land DIR`, `demo` or `up` creates and starts one"
        yield Finding("PostgreSQL", "note", f"none yet, as before the first command: {brings}")
        return
    try:
        warehouse = locate(settings)
        version = _scalar(warehouse, "select split_part(version(), ' ', 2)")
    except UserError as error:
        yield Finding("PostgreSQL", "wrong", str(error))
        return
    kind = "embedded" if settings.database_url is None else "yours"
    yield Finding("PostgreSQL", "ok", f"{version} at {warehouse.location} ({kind})")
    yield from _guarded("database", lambda: _tried(warehouse))
    if _scalar(warehouse, IS_NOT_MIGRATED):
        brings = "`cs-pipeline load DIR`, `data land DIR` or `up` brings it"
        yield Finding("schema", "note", f"the `cs` schema is not there yet, as before the first command: {brings}")
        return
    yield from _guarded("source tables", lambda: _source_tables(warehouse))
    yield from _guarded("scores", lambda: _scores(warehouse, settings))
    yield from _guarded("contracts", lambda: _contracts(warehouse, settings))
    yield from _guarded("outbox", lambda: outbox_findings(warehouse, Clock(settings.now).now()))
    yield from _guarded("CRM", lambda: [_crm(warehouse, settings)])
    yield from _processes(settings)
    if settings.now is None:
        yield from _guarded("due actions", lambda: [_standstill(warehouse)])


def _guarded(subject: str, findings: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """The findings about a subject; what keeps them from being found is one itself, and the next subject is asked."""
    try:
        yield from findings()
    except UserError as error:
        yield Finding(subject, "wrong", str(error))


def _tried(warehouse: Warehouse) -> Iterator[Finding]:
    return (Finding(tried.subject, tried.state, tried.words) for tried in try_out(warehouse))


def _clock(settings: Settings) -> Finding:
    if settings.now is None:
        return Finding("clock", "ok", "the present is the present")
    return Finding("clock", "note", f"set to {settings.now:%Y-%m-%d %H:%M} UTC, for demo and tests")


def _delivery(settings: Settings) -> Finding:
    if settings.delivery == "capture":
        return Finding("delivery", "ok", f"capture: nothing leaves this machine; messages in {settings.captures}")
    absent = missing(settings)
    if absent:
        return Finding("delivery", "wrong", f"{settings.delivery}, but {' and '.join(absent)} is not set")
    if settings.delivery == "allowlist":
        return Finding("delivery", "note", f"allowlist: only to {', '.join(settings.allowlist) or 'nobody'}")
    return Finding("delivery", "note", "live: messages reach customers")


def _chat(settings: Settings) -> Finding:
    from cs_pipeline.plays.playbooks.schema import load_playbooks

    if carrier_of("slack", settings).name == "teams":
        return Finding("chat", "ok", "Microsoft Teams, for Slack's messages as well: no bot token of Slack is set")
    if settings.teams_webhook_url is not None:
        return Finding("chat", "ok", "Slack and Microsoft Teams")
    playbooks = load_playbooks(settings.config).values()
    waiting = sorted(each.playbook for each in playbooks if any(step.channel == "teams" for step in each.steps))
    if waiting and settings.delivery != "capture":
        words = f"CS_PIPELINE_TEAMS_WEBHOOK_URL is not set, so what these post in Teams waits: {', '.join(waiting)}"
        return Finding("chat", "wrong", words)
    return Finding("chat", "ok", "Slack; Microsoft Teams once CS_PIPELINE_TEAMS_WEBHOOK_URL is set")


def _texts(settings: Settings) -> Finding:
    if settings.webhook_url is None:
        return Finding("text messages", "ok", "by e-mail: CS_PIPELINE_WEBHOOK_URL is not set")
    return Finding("text messages", "ok", "over the webhook")


def _playbooks(settings: Settings) -> Finding:
    from cs_pipeline.plays.playbooks.schema import load_playbooks

    playbooks = load_playbooks(settings.config)
    return Finding("playbooks", "ok", f"{len(playbooks)} valid: {', '.join(sorted(playbooks))}")


def _score_models(settings: Settings) -> Finding:
    from cs_pipeline.health.library import score_models
    from cs_pipeline.health.selection import load_selection

    selection = load_selection(settings.config)
    others = set(score_models(settings.config)) - {model.model for model in selection.models}
    active = {model.model for model in selection.active_models}
    told = (
        f"{model.model}{'' if model.model in active else ' (beside)'} {model.version}" for model in selection.models
    )
    beyond = f"; valid and not computed: {', '.join(sorted(others))}" if others else ""
    return Finding("score models", "ok", f"{', '.join(told)}{beyond}")


def _source_tables(warehouse: Warehouse) -> Iterator[Finding]:
    rows = _rows(
        warehouse,
        """
        select relname, greatest(reltuples, 0)::bigint from pg_class
        where relnamespace = 'raw'::regnamespace and relkind in ('r', 'p')
        """,
    )
    present = {str(name): int(str(count)) for name, count in rows}
    tables = read_contract().tables
    for table in tables.values():
        if table.required:
            found = table.name in present
            words = f"about {present[table.name]:,} rows" if found else "missing: `cs-pipeline load DIR` brings it"
            yield Finding(f"raw.{table.name}", "ok" if found else "wrong", words)
    absent = [table.name for table in tables.values() if not table.required and table.name not in present]
    if absent:
        yield Finding("optional tables", "note", f"absent, their metrics are missing: {', '.join(absent)}")
    rejects = _scalar(warehouse, "select coalesce(sum(rows), 0)::bigint from raw.raw_rejects")
    if rejects:
        words = f"{rejects:,} rows or values of rows broke the contract: `cs-pipeline data rejects` shows them"
        yield Finding("rejects", "note", words)


def _scores(warehouse: Warehouse, settings: Settings) -> Iterator[Finding]:
    rows = _rows(
        warehouse,
        """
        select max(week), count(*) filter (where is_active and week = (select max(week) from cs.health_scores))
        from cs.health_scores
        """,
    )
    week, accounts = rows[0]
    if week is None:
        yield Finding("scores", "note", "no week is scored yet: `cs-pipeline backfill --from … --to …`")
    else:
        yield Finding("scores", "ok", f"{accounts:,} accounts in the newest week, {week}")
        yield from _holes(warehouse, settings, week)


def _contracts(warehouse: Warehouse, settings: Settings) -> Iterator[Finding]:
    from cs_pipeline.history.contract_doubts import MEANINGS, contract_doubts

    if _scalar(warehouse, "select to_regclass('marts.fct_subscription_terms') is null"):
        return
    doubts = contract_doubts(warehouse, Clock(settings.now).now())
    for doubt, rows in doubts.groupby("doubt"):
        named = rows["account_id"].dropna().unique()
        which = ", ".join(map(str, named[:NAMED])) or str(rows["words"].iloc[0])
        more = f" and {len(named) - NAMED:,} more" if len(named) > NAMED else ""
        yield Finding("contracts", "note", f"{MEANINGS[str(doubt)]} (docs/contracts.md): {which}{more}")


def _holes(warehouse: Warehouse, settings: Settings, newest: object) -> Iterator[Finding]:
    """Weeks between the first scored one and the last that has ended, without scores."""
    today = Clock(settings.now).now().date()
    this_week = today - timedelta(days=today.weekday())
    last_due = this_week - timedelta(days=7)  # it is scored in the course of this week
    with warehouse.session() as session:
        missing = holes(session, last_due)
    if not missing:
        return
    words = f"never scored: {words_of(missing)}. "
    if isinstance(newest, date) and missing[-1] > newest:
        words += "The next run of weekly_health_schedule asks for them; "
    words += "`cs-pipeline backfill --from … --to …` scores them, and contacts nobody"
    yield Finding("weeks", "wrong", words)


def _crm(warehouse: Warehouse, settings: Settings) -> Finding:
    tasks, newest = _rows(
        warehouse, "select count(*) filter (where status = 'open'), max(read_at) from cs.task_status"
    )[0]
    if settings.crm == "table":
        return Finding("CRM", "ok", f"none connected; {tasks:,} open tasks here: `cs-pipeline task list`")
    if settings.delivery == "capture":
        return Finding("CRM", "note", f"{settings.crm}, once delivery is not capture; until then tasks stand here")
    read = f"last read {newest:%Y-%m-%d %H:%M} UTC" if isinstance(newest, datetime) else "not read back yet"
    return Finding("CRM", "ok", f"{settings.crm}: {tasks:,} open tasks, {read}")


def _standstill(warehouse: Warehouse) -> Finding:
    from cs_pipeline.cli.watchdog import look

    found = look(warehouse, datetime.now(UTC))
    if found is None or not found.actions:
        return Finding("due actions", "ok", "none waits in vain")
    return Finding("due actions", "wrong", f"{found.subject}. {found.words}")


def _processes(settings: Settings) -> Iterator[Finding]:
    processes = Processes(settings.home)
    for name in ("code-server", "webserver", "daemon", "watchdog"):
        pid = processes.pid(name)
        words = f"running, pid {pid}" if pid else "not running: `cs-pipeline up` starts it"
        yield Finding(name if name == "watchdog" else f"Dagster {name}", "ok" if pid else "note", words)
    if processes.pid("webserver"):
        yield _code_location(settings)


def _code_location(settings: Settings) -> Finding:
    try:
        why_not = why_not_loaded(settings)
    except OSError as error:
        return Finding("code location", "wrong", f"the Dagster UI at {settings.ui_url} does not answer: {error}")
    if why_not:
        mend = "Mend that, then `cs-pipeline down` and `up`, or Reload in the UI"
        return Finding("code location", "wrong", f"does not load: {why_not}. {mend}")
    return Finding("code location", "ok", "loaded")


def _rows(warehouse: Warehouse, sql: str) -> list[tuple[object, ...]]:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _scalar(warehouse: Warehouse, sql: str) -> object:
    return _rows(warehouse, sql)[0][0]
