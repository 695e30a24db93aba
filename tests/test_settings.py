"""Settings: read once, checked, and silent about secrets."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_delivery_is_capture_unless_someone_sets_it() -> None:
    assert load_settings().delivery == "capture"


def test_a_set_clock_and_messages_that_leave_the_machine_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CS_PIPELINE_NOW", "2026-06-29T06:00:00Z")
    assert load_settings().now == datetime(2026, 6, 29, 6, tzinfo=UTC)
    monkeypatch.setenv("CS_PIPELINE_DELIVERY", "live")
    with pytest.raises(UserError, match="CS_PIPELINE_DELIVERY=capture"):
        load_settings()


def test_an_error_names_every_variable_and_shows_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CS_PIPELINE_FIRST_WEEK", "2026-01-06")
    monkeypatch.setenv("CS_PIPELINE_DELIVERY", "s3cret-in-the-wrong-place")
    with pytest.raises(UserError) as caught:
        load_settings()
    assert "CS_PIPELINE_FIRST_WEEK" in str(caught.value)
    assert "Tuesday" in str(caught.value)
    assert "CS_PIPELINE_DELIVERY" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_secrets_appear_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HUBSPOT_ACCESS_TOKEN",
        "SALESFORCE_CLIENT_SECRET",
        "WEBHOOK_URL",
        "WEBHOOK_SECRET",
        "SLACK_BOT_TOKEN",
    ):
        monkeypatch.setenv(f"CS_PIPELINE_{name}", "geheim")
    monkeypatch.setenv("CS_PIPELINE_SENDGRID_API_KEY", "SG.geheim")
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", "postgresql://u:geheim@h/d")
    assert "geheim" not in repr(load_settings())
    assert "geheim" not in load_settings().model_dump_json()


def test_the_home_folder_remembers_settings_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.env").write_text("CS_PIPELINE_FIRST_WEEK=2024-01-01\nCS_PIPELINE_SENDER_NAME=Ada\n")
    monkeypatch.setenv("CS_PIPELINE_HOME", str(home))
    monkeypatch.setenv("CS_PIPELINE_SENDER_NAME", "Grace")
    settings = load_settings()
    assert (settings.first_week.isoformat(), settings.sender_name) == ("2024-01-01", "Grace")


def test_the_allowlist_is_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CS_PIPELINE_ALLOWLIST", "Ada@example.com, @example.org ,#cs-test,")
    assert load_settings().allowlist == ("ada@example.com", "@example.org", "#cs-test")


def test_a_settings_file_that_is_no_text_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CS_PIPELINE_HOME", str(tmp_path))
    path = tmp_path / "settings.env"
    os.mkfifo(path)
    with pytest.raises(UserError, match="is a named pipe, not a file"):
        load_settings()
    path.unlink()
    path.write_bytes(b"CS_PIPELINE_SENDER_NAME=\xff\n")
    with pytest.raises(UserError, match="is not UTF-8"):
        load_settings()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:port", "http://h:99999", "127.0.0.1:3000", "http://[::1", "ftp://h", "http://:3000"]
)
@pytest.mark.parametrize("name", ["UI_URL", "SITE_URL"])
def test_an_address_of_a_page_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    monkeypatch.setenv(f"CS_PIPELINE_{name}", url)
    with pytest.raises(UserError, match=f"CS_PIPELINE_{name}: is not a web address"):
        load_settings()


def test_env_in_the_folder_where_we_are_is_read_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "CS_PIPELINE_HOME=state\nCS_PIPELINE_SENDER_NAME=env\nCS_PIPELINE_COMPANY_NAME=env\nOTHER=1\n"
        "CS_PIPELINE_CONFIG=config\n"
    )
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "settings.env").write_text("CS_PIPELINE_SENDER_NAME=home\nCS_PIPELINE_COMPANY_NAME=home\n")
    monkeypatch.setenv("CS_PIPELINE_COMPANY_NAME", "environment")
    found = load_settings()
    assert (found.config, found.sender_name, found.company_name) == (Path("config"), "home", "environment")


def test_a_virtual_environment_called_env_is_no_file_of_settings(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert load_settings().config is None
