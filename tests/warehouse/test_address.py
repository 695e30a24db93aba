"""Addresses of databases: read strictly, written for every library alike, and never shown when they cannot be read."""

import subprocess
import sys

import psycopg2.extensions
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql import psycopg2 as psycopg2_dialect

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.address import Address, read_address
from cs_pipeline.warehouse.connection import Warehouse

SECRET = "tiger"
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("url", "place", "user"),
    [
        ("postgresql://u:p@db.example.com/d", "db.example.com:5432/d", "u"),
        ("postgres://u@h:6543/d", "h:6543/d", "u"),
        ("postgresql+psycopg2://u:p@h/d", "h:5432/d", "u"),
        ("  postgresql://u:p@h/d\n", "h:5432/d", "u"),
        ("postgresql://u:p@[::1]:5433/d", "[::1]:5433/d", "u"),
        ("postgresql://u:p@/d?host=/run/postgresql", "/run/postgresql:5432/d", "u"),
        ("postgresql://u:p@%2Frun%2Fpostgresql:5433/d", "/run/postgresql:5433/d", "u"),
        ("postgresql:///d?host=h&port=5434&user=u&password=p", "h:5434/d", "u"),
        ("postgresql://u:p@one,two:5432/d?target_session_attrs=read-write", None, None),
        ("postgresql://u:p@one:5433,two:5433/d", "one,two:5433/d", "u"),
        ("postgresql://u%40corp:p%2F%25%23@h/my%20db", "h:5432/my db", "u@corp"),
    ],
)
def test_an_address_is_read_in_every_form_that_libpq_knows(url: str, place: str | None, user: str | None) -> None:
    if place is None:
        with pytest.raises(UserError, match="same port"):
            read_address(url)
        return
    address = read_address(url)
    assert (address.place, address.user) == (place, user)


@pytest.mark.parametrize("sign", ["%", "/", "@", "#", "?", " ", "[", "%zz", "/@", "?a=b@", "\n", "\x1b[31m"])
@pytest.mark.parametrize(
    "form",
    [
        "postgresql://u:{}@h:5432/d",
        "postgresql://{}:p@h/d",
        "postgresql://u:{}@h/d?sslmode=require",
        "postgresql://u:{}@[::1]:5432/d",
        "postgresql:///d?password={}",
    ],
)
def test_what_is_not_escaped_is_refused_or_understood_and_no_part_of_it_is_shown(form: str, sign: str) -> None:
    for secret in (f"{SECRET}{sign}{SECRET}", f"12{sign}{SECRET}", f"{SECRET}{sign}"):
        refusal, understood = "", ()
        try:
            address = read_address(form.format(secret))
            understood = (address.password, address.user)
        except UserError as error:
            refusal = str(error)
        assert SECRET not in refusal
        assert len(refusal.splitlines()) <= 1
        assert refusal.startswith("CS_PIPELINE_DATABASE_URL ") or secret.strip() in understood


@pytest.mark.parametrize("sign", ["%", "/", "@", "#"])
def test_how_to_escape_is_said(sign: str) -> None:
    with pytest.raises(UserError, match="percent-encoding"):
        read_address(f"postgresql://u:{SECRET}{sign}x@h/d")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "is not a PostgreSQL address"),
        (SECRET, "is not a PostgreSQL address"),
        (f"mysql://u:{SECRET}@h/d", "is not a PostgreSQL address"),
        (f"host=h password={SECRET}", "is not a PostgreSQL address"),
        (f"postgresql://u:{SECRET}@h", "names no database"),
        (f"postgresql://u:{SECRET}@h/", "names no database"),
        (f"postgresql://u:{SECRET}@h:port/d", "a port that is not a number"),
        (f"postgresql://u:{SECRET}@h:0/d", "a port that is not a number"),
        (f"postgresql://u:{SECRET}@h:70000/d", "a port that is not a number"),
        (f"postgresql://u:{SECRET}@::1/d", "in brackets"),
        (f"postgresql://u:{SECRET}@[::1/d", "in brackets"),
        (f"postgresql://u:{SECRET}@h/d?{SECRET}", "name=value"),
        (f"postgresql://u:{SECRET}@h/d?{SECRET}=1", "is none of"),
        (f"postgresql://u:{SECRET}%00@h/d", "NUL"),
        (f"postgresql://{SECRET}/h/d", "second /"),
    ],
)
def test_what_is_wrong_is_said_without_showing_it(url: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as refused:
        read_address(url)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


@given(WORDS, WORDS, WORDS, st.sampled_from(["h", "::1", "/run/x y", "one,two"]), st.integers(1, 65535))
def test_every_library_reads_the_written_address_alike(
    user: str, password: str, database: str, host: str, port: int
) -> None:
    address = Address(host, port, user, password, database, {"sslmode": "require"})
    assert read_address(address.url) == address
    libpq = psycopg2.extensions.parse_dsn(address.url)
    assert (libpq["user"], libpq["password"], libpq["dbname"]) == (user, password, database)
    assert (libpq["host"], set(libpq["port"].split(",")), libpq["sslmode"]) == (host, {str(port)}, "require")
    _, alchemy = psycopg2_dialect.dialect().create_connect_args(make_url(address.url))
    assert (alchemy["user"], alchemy["password"], alchemy["dbname"]) == (user, password, database)
    ports = set(str(alchemy["port"]).split(","))
    assert (alchemy["host"], ports, alchemy["sslmode"]) == (host, {str(port)}, "require")


def test_a_password_is_in_no_repr() -> None:
    assert SECRET not in repr(read_address(f"postgresql://u:{SECRET}@h/d"))
    assert SECRET not in repr(Warehouse(f"postgresql://u:{SECRET}@h/d"))


def test_dbt_is_given_all_of_the_address() -> None:
    url = "postgresql://u:p%2F@[::1]:5433/d?sslmode=verify-full&sslrootcert=/ca.pem&options=-c%20statement_timeout%3D9"
    assert Warehouse(url).dbt_environment() == {
        "CS_PIPELINE_DBT_HOST": "::1",
        "CS_PIPELINE_DBT_PORT": "5433",
        "CS_PIPELINE_DBT_USER": "u",
        "CS_PIPELINE_DBT_PASSWORD": "p/",
        "CS_PIPELINE_DBT_DATABASE": "d",
        "CS_PIPELINE_DBT_SSLMODE": "verify-full",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/ca.pem",
        "PGOPTIONS": "-c statement_timeout=9",
    }


@pytest.mark.parametrize("command", ["doctor", "env", "model list", "up", "queue"])
def test_no_command_shows_a_password_that_is_not_escaped(command: str, tmp_path: object) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "cs_pipeline.cli", *command.split()],
        env={"CS_PIPELINE_DATABASE_URL": f"postgresql://u:a%{SECRET}/@h/d", "CS_PIPELINE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = found.stdout + found.stderr
    assert found.returncode == 1
    assert SECRET not in told
    assert "percent-encoding" in told.replace("\n", " ")
    assert "Traceback" not in told
