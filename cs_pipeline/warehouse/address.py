"""Read the address of a PostgreSQL database (`CS_PIPELINE_DATABASE_URL`), and write it for every library alike.

An address is read strictly, because libraries differ in what they guess of a doubtful one, and what one of them takes
for a host may be half a password. No part of an address that cannot be read is shown.
"""

import re
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import parse_qsl, quote, unquote, urlencode

from cs_pipeline.errors import UserError

VARIABLE = "CS_PIPELINE_DATABASE_URL"
SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2")
DEFAULT_PORT = 5432
EXPECTED = "expected postgresql://user:password@host:5432/database"
ESCAPED = "% as %25, / as %2F, @ as %40, # as %23, ? as %3F, : as %3A, a blank as %20"
HOW_TO_ESCAPE = (
    f"in a user name or password write {ESCAPED} (percent-encoding); what was given is not shown, as it may be a secret"
)
# Parameters of libpq that may follow the `?`, and the variable by which programs that take no address get them.
OPTIONS = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "channel_binding": "PGCHANNELBINDING",
    "gssencmode": "PGGSSENCMODE",
    "krbsrvname": "PGKRBSRVNAME",
    "require_auth": "PGREQUIREAUTH",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "hostaddr": "PGHOSTADDR",
    "passfile": "PGPASSFILE",
    "options": "PGOPTIONS",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "client_encoding": "PGCLIENTENCODING",
    "application_name": "PGAPPNAME",
    "keepalives": "",
    "keepalives_idle": "",
    "keepalives_interval": "",
    "keepalives_count": "",
    "tcp_user_timeout": "",
}
PLACES = ("host", "port", "user", "password", "dbname")  # parts of the address that may stand behind the `?` instead

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(
    r"\[(?P<six>[0-9A-Fa-f:.]+(%25[\w.-]+)?)\](:(?P<port6>[^:]*))?"
    r"|(?P<name>[\w.-]*|%2F[\w.%-]*)(:(?P<port>[^:]*))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Address:
    """Where a database is, and who connects. `host` is a name, an IP address, several of them separated by commas, or
    the folder of a socket; `options` are libpq's, by their names.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    options: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def place(self) -> str:
        """Host, port and database: what may be shown to a person."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}/{self.database}"

    @property
    def url(self) -> str:
        """The address as libpq, SQLAlchemy and ADBC all read it, everything escaped."""
        credentials = quote(self.user, safe="")
        if self.password:
            credentials += f":{quote(self.password, safe='')}"
        credentials += "@" if credentials else ""
        options = dict(self.options)
        place = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        if "/" in self.host or "," in self.host:
            place = ""
            ports = ",".join(str(self.port) for _ in self.host.split(","))  # SQLAlchemy asks for one each
            options = {"host": self.host, "port": ports, **options}
        database = quote(self.database, safe="")
        if database != self.database:  # which SQLAlchemy unescapes behind the ? alone
            database, options = "", {**options, "dbname": self.database}
        query = f"?{urlencode(options, quote_via=quote, safe='')}" if options else ""
        return f"postgresql://{credentials}{place}/{database}{query}"

    @property
    def parameters(self) -> dict[str, str | int]:
        """The address as libpq's keywords."""
        given = {
            "host": self.host, "port": self.port, "user": self.user, "password": self.password,
            "dbname": self.database, **self.options,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value != ""}


def read_address(url: str) -> Address:
    """The address that a URL gives. Raises UserError, which shows nothing of the URL, when it is not one."""
    text = url.strip()
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in SCHEMES:
        _refuse(f"is not a PostgreSQL address: {EXPECTED}")
    if any(not sign.isprintable() or sign.isspace() for sign in text):
        _refuse(f"holds a blank or a control sign: {HOW_TO_ESCAPE}")
    if _BROKEN_ESCAPE.search(rest):
        _refuse(f"holds a % that is not followed by two hexadecimal digits: {HOW_TO_ESCAPE}")
    if "#" in rest or rest.count("@") > 1 or re.search(r"[/?]", rest.rpartition("@")[0]):
        _refuse(f"cannot be read: {HOW_TO_ESCAPE}")
    credentials, _, rest = rest.rpartition("@")
    user, _, password = credentials.partition(":")
    place, _, query = rest.partition("?")
    hosts, _, database = place.partition("/")
    if "/" in database:
        _refuse(f"cannot be read: there is a second /; {HOW_TO_ESCAPE}")
    options = _options(query)
    host, port = _host_and_port(hosts)
    given = {
        "host": host, "port": port, "user": unquote(user), "password": unquote(password), "dbname": unquote(database),
    }  # fmt: skip
    given |= {name: options.pop(name) for name in PLACES if options.get(name)}
    if not given["dbname"]:
        _refuse(f"names no database: {EXPECTED}")
    if "\0" in "".join([*given.values(), *options.values()]):
        _refuse("holds a NUL (%00), which PostgreSQL does not take")
    return Address(
        host=given["host"] or "localhost",
        port=_port(given["port"]),
        user=given["user"],
        password=given["password"],
        database=given["dbname"],
        options={name: value for name, value in options.items() if name not in PLACES},
    )


def _options(query: str) -> dict[str, str]:
    if not query:
        return {}
    try:
        pairs = parse_qsl(query.replace("+", "%2B"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        _refuse(f"cannot be read behind its ?: expected name=value, separated by &; {HOW_TO_ESCAPE}")
    for number, (name, _) in enumerate(pairs, 1):
        if name not in OPTIONS and name not in PLACES:
            known = ", ".join(sorted((*PLACES, *OPTIONS)))
            _refuse(f"has a parameter behind its ? (number {number}) that is none of {known}")
    return dict(pairs)


def _host_and_port(hosts: str) -> tuple[str, str]:
    parts = [_HOST.fullmatch(host) for host in hosts.split(",")]
    names, ports = [], set[str]()
    for part in parts:
        if part is None:
            _refuse(f"has a host that cannot be read: an IPv6 address stands in brackets, as [::1]; {HOW_TO_ESCAPE}")
        names.append(unquote(part["six"] or part["name"] or ""))
        ports.add(part["port6"] or part["port"] or "")
    return ",".join(names), ",".join(sorted(ports))


def _port(text: str) -> int:
    if text == "":
        return DEFAULT_PORT
    ports = set(text.split(","))
    if len(ports) > 1:
        _refuse("gives its hosts different ports, which dbt cannot be told: let them listen on the same port")
    text = ports.pop()
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65_535):
        _refuse(f"has a port that is not a number from 1 to 65535; if that is part of a password, {HOW_TO_ESCAPE}")
    return int(text)


def _refuse(words: str) -> NoReturn:
    raise UserError(f"{VARIABLE} {words}.") from None
