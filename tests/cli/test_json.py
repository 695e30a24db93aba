"""`--json`: every command that prints a list gives programs the same as JSON, and nothing else on stdout."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.core import TyperGroup
from typer.main import get_command

from cs_pipeline.alerts.decisions import silence
from cs_pipeline.alerts.evaluate import evaluate_due
from cs_pipeline.channels.capture import CaptureChannel
from cs_pipeline.channels.crm import CrmTableChannel
from cs_pipeline.cli import app, main
from cs_pipeline.cli.command_group import command_paths
from cs_pipeline.cli.listing import as_plain
from cs_pipeline.clock import Clock
from cs_pipeline.demo.story import present_of
from cs_pipeline.feedback.ledger import route
from cs_pipeline.feedback.library import load_routing
from cs_pipeline.health.library import SHIPPED
from cs_pipeline.health.selection import load_selection
from cs_pipeline.history.overrides import OverrideRequest, set_override
from cs_pipeline.kpis.calls import Call, record_call, renewal_named
from cs_pipeline.plays.enrolment.manual import Ask, start
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.site.users import set_user
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.land import land_folder
from cs_pipeline.warehouse.load import load_folder
from tests.builders.messages import CRM, EMAIL, delivered
from tests.builders.sample_history import COMPANY, SCORED_UNTIL, WEEK, History

NOW = COMPANY.ends_at
WEEKS = ["--from", f"{SCORED_UNTIL}", "--to", f"{SCORED_UNTIL}"]
ARGUMENTS: dict[str, list[str]] = {
    "init": ["{project}"],
    "doctor": [],
    "load": ["{folder}"],
    "map": ["{mappings}"],
    "connect": ["--list"],
    "why": ["{account}"],
    "queue": [],
    "play list": [],
    "play show": ["red_save"],
    "play preview": ["check_in", "{account}"],
    "play simulate": ["yellow_adoption", "--from", f"{SCORED_UNTIL}"],
    "play start": ["save_offer", "{account}"],
    "play progress": [],
    "play uplift": [],
    "alert list": ["--show", "baseline"],
    "alert rules": [],
    "alert show": ["{alert}"],
    "alert test": ["invoice_overdue"],
    "alert run": [],
    "alert silences": [],
    "alert replay": ["invoice_overdue", "--from", f"{SCORED_UNTIL}"],
    "alert diff": ["invoice_overdue", "--set", "days=20", "--from", f"{SCORED_UNTIL}"],
    "alert scorecard": [],
    "action list": [],
    "action why": ["{action}"],
    "action missed": [],
    "model list": [],
    "model diff": ["{model}"],
    "model tune": ["weekly_points"],
    "model fit": ["--resamplings", "0"],
    "model retention": [],
    "model backtest": ["weekly_points"],
    "model steadiness": ["weekly_points"],
    "score overrides": [],
    "score late": [],
    "score reproduce": [*WEEKS, "--as-known-at", f"{NOW:%Y-%m-%dT%H:%M}"],
    "data land": ["{folder}"],
    "data rejects": [],
    "data months": [],
    "data archive": ["--before", f"{COMPANY.ends_on - timedelta(days=100):%Y-%m}", "--dry-run"],
    "task list": [],
    "action captured": [],
    "warehouse size": [],
    "warehouse distribute": [],
    "user list": [],
    "report list": [],
    "report show": ["at_risk_review"],
    "report send": ["at_risk_review", "--as-of", f"{SCORED_UNTIL + WEEK}"],
    "report card": ["{account}"],
    "report value": ["{account}"],
    "kpi list": [],
    "kpi show": ["nrr", "--by", "tier"],
    "kpi drivers": [],
    "kpi forecast": [],
    "kpi calls": ["{subscription}"],
    "feedback list": [],
    "feedback route": [],
    "feedback test": ["The price is too high"],
    "feedback check": [],
}
"""Arguments of every command that prints a list, as `cs-pipeline` takes them before --json."""
NO_LIST = {
    "demo", "up", "down", "env", "backfill", "alert catalogue", "play pages",
    "play stop", "play resume", "play release", "play dismiss",
    "action approve", "action hold", "action cancel", "action resend", "model rescore", "score override",
    "data generate", "data ingest", "data restore", "task done", "person erase", "alert ack", "alert snooze",
    "alert silence", "alert lift",
    "alert release", "alert dismiss", "user add", "user remove",
    "report qbr", "report template", "kpi build", "kpi call", "feedback assign", "task note",
    "warehouse migrate", "warehouse purge", "warehouse ready", "action doubt",
}  # fmt: skip
"""Commands that do something and say that it is done."""
DOCUMENTS = {
    "why", "alert show", "action why", "play simulate", "model diff", "model fit", "report show", "report send",
    "report card", "report value", "kpi show", "kpi drivers", "feedback route",
}  # fmt: skip
"""Several lists in one object."""

pytestmark = [pytest.mark.xdist_group("json"), pytest.mark.slow(seconds=1)]  # what fills every list takes long
Say = Callable[..., tuple[int, str, str]]


def test_every_command_is_a_list_with_json_or_prints_none() -> None:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    commands = {path: each for path, each in command_paths(root) if not isinstance(each, TyperGroup)}
    assert set(commands) == {*ARGUMENTS, *NO_LIST}
    with_json = {path for path, each in commands.items() if any("--json" in option.opts for option in each.params)}
    assert with_json == set(ARGUMENTS)


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs a command as the shell would; its exit code, stdout and stderr."""

    def call(path: str, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cs-pipeline", *path.split(), *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Canonical files of one more account, of which one row breaks the contract."""
    made = tmp_path_factory.mktemp("files")
    for table, text in {
        "accounts": "account_id,account_name,created_at\nnew,New Ω,2025-01-06\n,Nobody,2025-01-06\n",
        "users": "user_id,account_id,email,full_name,created_at\nu,new,ada@new.example,Ada,2025-01-06\n",
        "subscriptions": "subscription_id,account_id,plan,mrr,started_on\ns,new,pro,100,2025-01-06\n",
        "events": "event_id,account_id,user_id,event_name,occurred_at\ne,new,u,login,2025-01-06\n",
    }.items():
        (made / f"{table}.csv").write_text(text, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def words(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What stands in ARGUMENTS for files that others write."""
    mappings = tmp_path_factory.mktemp("mappings")
    for path in folder.glob("*.csv"):
        header = path.read_text(encoding="utf-8").splitlines()[0]
        (mappings / f"{path.stem}.sql").write_text(f"select {header} from landing.{path.stem}")
    model = SHIPPED / "weekly_points.yaml"
    return {
        "folder": str(folder),
        "mappings": str(mappings),
        "project": str(tmp_path_factory.mktemp("project")),
        "model": str(model),
        "account": "none",
        "action": "1",
        "alert": "1",
        "subscription": "none",
    }


@pytest.fixture(scope="module")
def filled(kpi_history: History, tmp_path_factory: pytest.TempPathFactory, folder: Path) -> History:
    """The sample company, scored, in which every list has rows."""
    history = History(kpi_history.warehouse, tmp_path_factory.mktemp("filled") / "home")
    warehouse, settings, now = history.warehouse, history.settings, Clock(history.settings.now).now()
    load_folder(warehouse, folder)
    land_folder(warehouse, folder)
    selection, account = load_selection(settings.config), account_of(history)
    set_override(
        warehouse,
        selection,
        OverrideRequest(account, "new owner", "olga", now.date() + timedelta(days=14), 5.0, None),
        now,
    )
    playbook = load_playbooks(settings.config)["save_offer"]
    start(warehouse, playbook, [account], Ask("olga", "worth a fight", ""), settings, now)
    evaluate_due(warehouse, settings, now - timedelta(days=1))
    with warehouse.session() as session, session.cursor() as cursor:
        silence(session, "invoice_overdue", account, now + timedelta(days=1), "new owner", "olga", now)
        ahead = renewal_named(session, renewing(history), now)
        record_call(session, ahead, Call(0.4, "their sponsor left", "olga"), now)
        set_user(session, "olga@example.com", "twelve or more characters", "olga")
        route(session, load_routing(settings.config), settings, now)
        cursor.execute("update cs.actions set status = 'awaiting_approval', reason = 'missed'")
        cursor.execute("select min(action_key) from cs.actions")
        (key,) = cursor.fetchone() or ("",)
    delivered(CrmTableChannel(warehouse, Clock(now)), replace(CRM, action_key=key))
    delivered(CaptureChannel(settings, warehouse, Clock(now)), replace(EMAIL, action_key=key))
    return history


def account_of(history: History) -> str:
    """An account at risk that is there in the last scored week."""
    ((account,),) = history.rows(
        "select account_id from cs.health_scores where is_active and severity >= 1 "
        f"and week = '{SCORED_UNTIL}' order by account_id limit 1"
    )
    return str(account)


def renewing(history: History) -> str:
    """A subscription that renews within 92 days of the last scored week."""
    ((subscription,),) = history.rows(
        "select subscription_id from cs.renewal_forecasts natural join marts.fct_renewals "
        f"where week = '{SCORED_UNTIL}' and outcome = 'open' order by 1 limit 1"
    )
    return str(subscription)


def use(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands find this warehouse, at its present."""
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", history.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(history.home))
    monkeypatch.setenv("CS_PIPELINE_NOW", present_of(COMPANY.ends_on).isoformat())
    monkeypatch.setenv("CS_PIPELINE_FIRST_WEEK", str(COMPANY.first_week))


ON_ONE_SERVER = {"data archive": "months are not archived while tables are spread"}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=pytest.mark.one_server(ON_ONE_SERVER[path]) if path in ON_ONE_SERVER else ())
        for path in ARGUMENTS
        if path != "score reproduce"  # it runs dbt for a minute
    ],
)
def test_json_of_a_filled_database_is_a_list_of_objects(
    path: str, filled: History, words: dict[str, str], say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(filled, monkeypatch)
    (action,) = filled.rows("select min(action_id) from cs.actions")[0]
    (alert,) = filled.rows("select min(alert_id) from cs.alerts")[0]
    known = words | {"account": account_of(filled), "action": str(action), "alert": str(alert)}
    known["subscription"] = renewing(filled)
    arguments = [argument.format(**known) for argument in ARGUMENTS[path]]
    code, out, err = say(path, *arguments, "--json")
    found = json.loads(out)
    assert code == (1 if path == "doctor" else 0), err
    assert isinstance(found, dict if path in DOCUMENTS else list)
    if path not in {"model tune", "feedback check", *DOCUMENTS}:  # too few have left for weights; no example is wrong
        assert found
        assert all(isinstance(each, dict) and each.keys() == found[0].keys() for each in found)


@pytest.mark.parametrize("path", ARGUMENTS)
def test_json_of_an_empty_database_is_an_empty_list_or_an_error_and_exit_codes_are_the_same(
    path: str, warehouse: Warehouse, tmp_path: Path, words: dict[str, str], say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(History(warehouse, tmp_path / "home"), monkeypatch)
    arguments = [argument.format(**words) for argument in ARGUMENTS[path]]
    code, out, err = say(path, *arguments, "--json")
    if code == 0 or path == "doctor":
        assert isinstance(json.loads(out), dict if path in DOCUMENTS else list)
    else:
        assert out == ""
        assert err.startswith("Error: ")
    assert say(path, *arguments)[0] == code


def test_what_json_does_not_know_is_written_as_people_expect_it() -> None:
    rows = pd.DataFrame(
        {
            "day": [date(2025, 1, 6), None],
            "at": [pd.Timestamp("2025-01-06 09:30", tz="UTC"), pd.NaT],
            "count": pd.array([3, None], dtype="Int64"),
            "share": [0.5, float("nan")],
            "exact": [Decimal("12.50"), Decimal(7)],
            "names": [["a", "Ω"], []],
            "vector": [np.array([1, 2]), np.array([])],
        }
    )
    assert json.loads(json.dumps(as_plain(rows), allow_nan=False)) == [
        {
            "day": "2025-01-06", "at": "2025-01-06T09:30:00+00:00", "count": 3, "share": 0.5, "exact": 12.5,
            "names": ["a", "Ω"], "vector": [1, 2],
        },
        {"day": None, "at": None, "count": None, "share": None, "exact": 7, "names": [], "vector": []},
    ]  # fmt: skip
    with pytest.raises(TypeError, match="object has no form in JSON"):
        as_plain(object())
