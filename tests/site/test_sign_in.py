"""Who may read and who may act: by password, by the header of the team's proxy, or, at this machine only, anybody."""

import re
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.site import server, users
from cs_pipeline.site.application import site_app
from cs_pipeline.site.csrf import COOKIE as CSRF
from cs_pipeline.site.database import PooledWarehouse
from cs_pipeline.site.sign_in import COOKIE, WAIT, WRONG, Attempts
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.sample_history import History
from tests.command_line import run_command

NAME, PASSWORD = "olga@ours.example", "correct horse battery"
SAID_BY_PROXY = "X-Forwarded-Email"
PAGE = "/messages"


@pytest.fixture
def company(warehouse: Warehouse, tmp_path: Path) -> History:
    """A company that nobody has signed in to."""
    return History(warehouse, tmp_path)


@pytest.fixture
def with_user(company: History) -> History:
    with company.warehouse.session() as session:
        users.set_user(session, NAME, PASSWORD, "the tests")
    return company


@pytest.fixture
def browser(with_user: History) -> Iterator[TestClient]:
    with client_of(with_user) as client:
        yield client


def client_of(company: History, *, address: str = "127.0.0.1", is_open: bool = False, **changes: Any) -> TestClient:
    settings = company.settings.model_copy(update=changes)
    app = site_app(settings, PooledWarehouse(company.warehouse.url), Clock(settings.now), is_open=is_open)
    base_url = settings.site_url
    return TestClient(app, base_url=base_url, client=(address, 50_000), follow_redirects=False)


def sign_in(client: TestClient, name: str = NAME, password: str = PASSWORD, following: str = PAGE) -> str:
    """Fill in the form; returns where it leads."""
    client.get("/sign-in")
    fields = {"csrf": client.cookies[CSRF], "name": name, "password": password, "next": following}
    return client.post("/sign-in", data=fields).headers["location"]


def said(client: TestClient) -> str:
    """What the page that asks for a password says of the last attempt."""
    found = re.findall(r'<p class="flash[^>]*>(.*?)</p>', client.get("/sign-in").text, re.S)
    return str(found[0]) if found else ""


def is_known(client: TestClient) -> bool:
    answer = client.get(PAGE)
    return answer.status_code == 200 and "read-only" not in answer.text


def test_where_nobody_can_be_known_people_at_this_machine_read_and_nobody_acts(company: History) -> None:
    with client_of(company) as client:
        text = client.get(PAGE).text
        assert "read-only" in text
        assert "cs-pipeline user add" in text
        refused = client.post("/do/tasks/done", data={"csrf": client.cookies[CSRF], "id": "1"})
        assert refused.status_code == 403
        assert "Nobody can sign in yet." in client.get("/sign-in").text
    with client_of(company, is_open=True) as client:
        assert client.get(PAGE).headers["location"] == "/sign-in?next=%2Fmessages"


def test_a_site_that_cannot_know_anybody_listens_at_this_machine_only(company: History) -> None:
    def require(**changes: Any) -> None:
        settings = company.settings.model_copy(update=changes)
        server.require_a_way_to_know(PooledWarehouse(company.warehouse.url), settings)

    require()
    require(site_listen="[::1]:3001")
    for changes in ({"site_listen": "0.0.0.0:3001"}, {"site_url": "http://0.0.0.0:3001"}):
        with pytest.raises(UserError, match=r"0\.0\.0\.0:3001.*cs-pipeline user add NAME"):
            require(**changes)
    require(site_listen="0.0.0.0:3001", site_user_header=SAID_BY_PROXY)
    with company.warehouse.session() as session:
        users.set_user(session, NAME, PASSWORD, "the tests")
    require(site_listen="0.0.0.0:3001")


def test_as_soon_as_there_is_a_user_nobody_reads_without_signing_in(browser: TestClient) -> None:
    for path in ("/today", "/accounts", "/accounts/a", PAGE, "/messages/x/y.html"):
        answer = browser.get(f"{path}?a=b")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")
    assert browser.post("/do/tasks/done", data={"csrf": browser.cookies[CSRF], "id": "1"}).status_code == 303
    assert sign_in(browser, following="/messages?search=x") == "/messages?search=x"
    text = browser.get(PAGE).text
    assert NAME in text
    assert "read-only" not in text
    token = browser.cookies[COOKIE]
    browser.post("/sign-out", data={"csrf": browser.cookies[CSRF]})
    assert said(browser) == "You are signed out."
    browser.cookies.set(COOKIE, token)
    assert not is_known(browser)


def test_a_session_is_read_by_no_script_and_sent_over_https_only_where_the_site_is(with_user: History) -> None:
    for site_url, is_secure in (("http://127.0.0.1:3001", False), ("https://127.0.0.1:3001", True)):
        with client_of(with_user, site_url=site_url) as client:
            client.get("/sign-in")
            fields = {"csrf": client.cookies[CSRF], "name": f" {NAME.upper()} ", "password": PASSWORD, "next": ""}
            cookie = client.post("/sign-in", data=fields).headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is is_secure


def test_a_wrong_password_and_a_wrong_name_are_told_alike(with_user: History, browser: TestClient) -> None:
    for name, password in ((NAME, "wrong"), ("nobody@ours.example", PASSWORD), ("", ""), (NAME, "x" * 3_000)):
        assert sign_in(browser, name, password) == "/sign-in?next=%2Fmessages"
        assert said(browser) == WRONG
    assert with_user.count("cs.site_sessions") == 0
    assert not is_known(browser)


def test_after_five_wrong_attempts_a_name_waits_five_minutes(
    with_user: History, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with with_user.warehouse.session() as session:
        users.set_user(session, "ada@ours.example", PASSWORD, "the tests")
    for _ in range(5):
        sign_in(browser, password="wrong")
    sign_in(browser)
    assert said(browser) == WAIT
    assert not is_known(browser)
    assert sign_in(browser, "ada@ours.example") == PAGE
    present = time.monotonic()
    monkeypatch.setattr("cs_pipeline.site.sign_in.time.monotonic", lambda: present + 301)
    assert sign_in(browser) == PAGE


def test_attempts_count_before_they_are_checked_and_those_that_succeed_do_not() -> None:
    attempts = Attempts()
    assert [attempts.begin("a", "here") for _ in range(6)] == [True] * 5 + [False]
    attempts.forget("a", "here")
    assert attempts.begin("a", "here")
    others = [attempts.begin(f"name {number}", "here") for number in range(60)]
    assert others.count(True) == attempts.MOST_OF_AN_ADDRESS - 5
    assert attempts.begin("a", "elsewhere")
    busy = Attempts()
    for number in range(200):
        assert busy.begin(f"name {number}", "proxy")
        busy.forget(f"name {number}", "proxy")


def test_a_new_password_an_expiry_and_a_removal_end_a_session(with_user: History, browser: TestClient) -> None:
    def renew() -> None:
        with with_user.warehouse.session() as session:
            assert not users.set_user(session, NAME, PASSWORD, "the tests")

    def remove() -> None:
        with with_user.warehouse.session() as session:
            users.set_user(session, "ada@ours.example", PASSWORD, "the tests")
            users.remove_user(session, NAME)

    for end in (renew, lambda: with_user.rows("update cs.site_sessions set expires_at = now()"), remove):
        sign_in(browser)
        assert is_known(browser)
        end()
        assert not is_known(browser)


def test_neither_a_password_nor_a_token_is_kept(with_user: History, browser: TestClient) -> None:
    sign_in(browser)
    ((kept,),) = with_user.rows("select password_hash from cs.site_users")
    assert str(kept).startswith("$argon2id$")
    ((token,),) = with_user.rows("select token_hash from cs.site_sessions")
    assert browser.cookies[COOKIE].encode() not in bytes(token)  # pyright: ignore[reportArgumentType]
    for name, password in (("", PASSWORD), ("a\nb", PASSWORD), (NAME, "too short"), (NAME, "x" * 1_001)):
        with with_user.warehouse.session() as session, pytest.raises(UserError, match="expected"):
            users.set_user(session, name, password, "the tests")


def test_signing_in_needs_the_token_of_the_browser_and_leads_nowhere_else(browser: TestClient) -> None:
    browser.get("/sign-in")
    fields = {"name": NAME, "password": PASSWORD}
    for token in ("", "x" * 43):
        assert browser.post("/sign-in", data={**fields, "csrf": token}).status_code == 403
    for following in ("https://evil.example", "//evil.example", "/\\evil.example"):
        assert sign_in(browser, following=following) == "/"


def test_the_header_of_the_team_s_proxy_is_believed_only_when_it_is_named_and_only_from_the_proxy(
    company: History,
) -> None:
    said_so = {SAID_BY_PROXY: NAME}
    cases: tuple[tuple[str, dict[str, Any], bool], ...] = (
        ("127.0.0.1", {"site_user_header": SAID_BY_PROXY}, True),
        ("::ffff:127.0.0.1", {"site_user_header": SAID_BY_PROXY}, True),
        ("10.0.0.9", {"site_user_header": SAID_BY_PROXY}, False),
        ("10.0.0.9", {"site_user_header": SAID_BY_PROXY, "site_proxies": ("10.0.0.0/24",)}, True),
        ("127.0.0.1", {"site_user_header": "X-Other"}, False),
        ("127.0.0.1", {}, False),
    )
    for address, changes, believed in cases:
        with client_of(company, address=address, **changes) as client:
            answer = client.get(PAGE, headers=said_so)
            assert (answer.status_code == 200 and NAME in answer.text) is believed, (address, changes)
            if changes:
                assert client.get(PAGE).status_code == 303
                assert "Your proxy did not say who you are." in client.get("/sign-in").text
    with client_of(company, site_user_header=SAID_BY_PROXY) as client:
        for headers in ([(SAID_BY_PROXY, NAME)] * 2, [(SAID_BY_PROXY, "x" * 201)], [(SAID_BY_PROXY, " ")]):
            assert client.get(PAGE, headers=headers).status_code == 303


def test_the_command_line_adds_lists_and_removes_people(
    company: History, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(company.home))
    monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}\n"))
    assert run_command(monkeypatch, capsys, "user", "add", NAME.upper(), "--by", "ada") == (
        0,
        f"✓ {NAME} may sign in\n",
    )
    assert company.rows("select name, added_by from cs.site_users") == [(NAME, "ada")]
    assert NAME in run_command(monkeypatch, capsys, "user", "list", "--json")[1]
    assert run_command(monkeypatch, capsys, "user", "remove", NAME)[0] == 0
    code, told = run_command(monkeypatch, capsys, "user", "remove", NAME)
    assert code != 0
    assert "There is no user" in told
