"""Old months of events go to files and come back; their sums stay, and nothing is summed up from less."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cs_pipeline.privacy.archives import archived_events_of
from cs_pipeline.warehouse.archive import archive, plan
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.rejects import count_rejects
from tests.command_line import run_command
from tests.dbt.conftest import DbtWarehouse, accounts
from tests.dbt.test_roll_ups import ROLL_UPS, build

pytestmark = pytest.mark.one_server("`data archive` refuses there, in words")

DAYS = ("2024-01-02", "2024-01-31", "2024-02-10", "2024-03-05")
Cli = Callable[..., tuple[int, str]]


def event(number: int, day: str, **values: object) -> dict[str, Any]:
    row = {"event_id": f"e{number}", "account_id": "a", "user_id": "u", "occurred_at": f"{day} 10:00Z"}
    return {**row, "event_name": "login", "feature": "reports", "_loaded_at": None, **values}


@pytest.fixture
def built(dbt_warehouse: DbtWarehouse) -> DbtWarehouse:
    """Events of three months, summed up by day."""
    dbt_warehouse.load("accounts", *accounts("a", "b"))
    dbt_warehouse.load(
        "users", {"user_id": "u", "account_id": "a", "email": "u@a.example", "created_at": "2024-01-01Z"}
    )
    dbt_warehouse.load("events", *(event(number, day) for number, day in enumerate(DAYS)))
    build(dbt_warehouse)
    return dbt_warehouse


@pytest.fixture
def cli(
    built: DbtWarehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    """Commands work on that database, in June 2024."""
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", built.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CS_PIPELINE_NOW", "2024-06-20T08:00:00Z")
    return lambda *words: run_command(monkeypatch, capsys, "data", *words)


def stored(dbt: DbtWarehouse) -> list[dict[str, Any]]:
    return dbt.rows("select * from raw.events order by event_id")


def sums(dbt: DbtWarehouse) -> list[list[dict[str, Any]]]:
    return [dbt.rows(f"select * from intermediate.{name} order by activity_date, account_id") for name in ROLL_UPS]


def test_months_go_to_files_and_come_back_and_sums_stay_as_they_were(
    built: DbtWarehouse, cli: Cli, tmp_path: Path
) -> None:
    events, before = stored(built), sums(built)
    asked = ("archive", "--before", "2024-03", "--to", str(tmp_path / "old"))
    assert cli(*asked, "--dry-run", "--json")[0] == 0
    assert stored(built) == events
    assert not (tmp_path / "old").exists()
    code, said = cli(*asked, "--json")
    assert code == 0, said
    files = [Path(each["file"]) for each in json.loads(said)]
    assert [file.name for file in files] == ["events_2024_01.parquet", "events_2024_02.parquet"]
    assert json.loads(files[0].with_suffix(".json").read_text())["rows"] == 2
    assert [row["event_id"] for row in stored(built)] == ["e3"]
    listed = json.loads(cli("months", "--json")[1])
    assert [(each["month"], each["archived_in"] is not None) for each in listed] == [
        *[("2024-01", True), ("2024-02", True), ("2024-03", False)],
    ]
    assert archived_events_of(built.warehouse, "u@a.example") == {files[0]: 2, files[1]: 1}

    (tmp_path / "events.csv").write_text(
        "event_id,account_id,occurred_at,event_name\nlate,a,2024-01-15,login\nnew,a,2024-03-15,login\n"
    )
    report = load_folder(built.warehouse, tmp_path)["events"]
    assert (report.rows_loaded, report.rows_rejected) == (1, 1)
    (reject,) = count_rejects(built.warehouse, "events")
    assert (reject.column, reject.reason) == (
        "occurred_at",
        "is of a month that is archived; `cs-pipeline data restore` brings it back",
    )
    built.execute("delete from raw.events where event_id = 'new'")
    for day in ("'2024-01-02'", "null"):  # one of them, then all
        built.execute(f"insert into cs.touched_days values ('events', 999999, {day}, 0)")
        build(built)
        assert sums(built) == before, "days of archived months stay as they were summed up"
    refused = built.failures("build", "--select", "stg_events", *ROLL_UPS, "--full-refresh")
    assert any("The events of 2024-01-01, 2024-02-01 are archived" in words for words in refused)
    assert sums(built) == before

    code, said = cli("restore", str(tmp_path / "events.csv"))
    assert (code, "the manifest of events.csv" in said) == (1, True)
    assert cli("restore", *map(str, files))[0] == 0
    assert stored(built) == events
    assert build(built, "--full-refresh") == dict(zip(ROLL_UPS, before, strict=True))
    assert cli("restore", str(files[1]))[0] == 1, "it is not archived any more"


def interrupted(_: int) -> None:
    raise KeyboardInterrupt


def test_what_is_not_summed_up_or_is_recent_stays_and_a_file_that_changed_is_refused(
    built: DbtWarehouse, cli: Cli, tmp_path: Path
) -> None:
    code, said = cli("archive", "--before", "2024-05")
    assert (code, "2024-05 is too late" in said) == (1, True)
    built.load("events", event(9, "2024-01-20"))
    events = stored(built)
    code, said = cli("archive", "--before", "2024-02", "--to", str(tmp_path))
    assert (code, "2024-01 is not summed up yet" in said) == (1, True)
    assert stored(built) == events
    build(built)
    (january,) = plan(built.warehouse, date(2024, 2, 1), date(2024, 6, 20))
    with pytest.raises(KeyboardInterrupt):
        archive(built.warehouse, january.month, tmp_path, interrupted)
    assert stored(built) == events
    assert list(tmp_path.glob("events_*")) == []
    file = archive(built.warehouse, january.month, tmp_path, lambda _: None)
    manifest = json.loads(file.with_suffix(".json").read_text())
    file.with_suffix(".json").write_text(json.dumps({**manifest, "rows": 2}))
    code, said = cli("restore", str(file))
    assert (code, "has not the rows that its manifest says: 3 instead of 2" in said) == (1, True), said
    assert built.column("select count(*) from cs.archived_months") == [1]
    file.with_suffix(".json").write_text(json.dumps(manifest))
    assert cli("restore", str(file))[0] == 0
    assert stored(built) == events
