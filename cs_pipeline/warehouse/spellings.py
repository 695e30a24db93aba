"""Respell values that mean one value of the contract: blanks around it, letters' case, Windows' names of time zones.

The spelling of e-mail addresses belongs to `cs_pipeline.addresses`, and in SQL to `cs.address_of`. Only what cannot
mean two things is respelt. `Eastern Time (US & Canada)` or `GMT+2` is nobody's standard and stays what
it is: a value that cannot be read.
"""

from collections.abc import Mapping
from string import ascii_lowercase
from zoneinfo import available_timezones

import pyarrow as pa
import pyarrow.compute as pc
from babel.core import get_global
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.contract import SourceTable

BLANKS = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""White space of Unicode, and the two marks of no width that files bring along."""

_OF_THE_MACHINE = {"localtime", "posixrules", "Factory"}
_IANA = sorted(available_timezones() - _OF_THE_MACHINE)
ZONES: Mapping[str, str] = {
    **{windows.lower(): zone for windows, zone in get_global("windows_zone_mapping").items() if zone in _IANA},
    **{zone.lower(): zone for zone in _IANA},
}
"""IANA zone by spelling in lower case: its own name, and what Windows calls it."""
COUNTRIES: Mapping[str, str] = {
    **{first + second: (first + second).upper() for first in ascii_lowercase for second in ascii_lowercase},
    "uk": "GB",
}
"""Country code by spelling in lower case; which codes are in use changes, so every pair of letters is one."""
_BY_FORMAT = {"timezone": ZONES, "country": COUNTRIES}


def without_blanks(rows: pa.Table) -> pa.Table:
    """The text columns `rows` without blanks around their values; a value of blanks alone becomes empty."""
    options = pc.TrimOptions(BLANKS)
    return pa.table(
        [pc.call_function("utf8_trim", [column], options) for column in rows.columns], names=rows.schema.names
    )


def respell(cursor: Cursor, table: SourceTable, relation: str, types: Mapping[str, str]) -> None:
    """Write what has another spelling as the contract spells it, in the incoming rows of `relation`."""
    for column in table.columns:
        if types.get(column.name) == "text" and column.format in _BY_FORMAT:
            known = _BY_FORMAT[column.format]
            cursor.execute(
                f"update {relation} as incoming set {column.name} = known.name "
                "from unnest(%s::text[], %s::text[]) as known (spelling, name) "
                f"where known.spelling = lower(incoming.{column.name}) and known.name <> incoming.{column.name}",
                (list(known), list(known.values())),
            )
        if types.get(column.name) == "text" and column.format == "email":
            cursor.execute(
                f"update {relation} as incoming set {column.name} = cs.address_of(incoming.{column.name}) "
                f"where cs.address_of(incoming.{column.name}) <> incoming.{column.name}"
            )
