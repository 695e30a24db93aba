"""What dlt lands, and how: the database of the product, files of surveys, and the help desk's interface.

`cs-pipeline data ingest`, and the schedule of the same job, read it. What the functions do is dlt's
own (https://dlthub.com/docs). Addresses, and the passwords in them, come from the environment.
"""

import os
from datetime import timedelta
from pathlib import Path

import dlt
from dlt.sources.filesystem import filesystem, read_csv
from dlt.sources.rest_api import rest_api_source
from dlt.sources.sql_database import sql_table

SCHEDULE = "50 * * * *"  # UTC
FRESH_WITHIN = timedelta(hours=6)

SHOP, DESK = os.environ["SHOP_DATABASE_URL"], os.environ["DESK_URL"]
FILES = Path(os.environ.get("SURVEY_FOLDER", Path(__file__).parent / "files"))


def changed(table):
    """Rows that changed since the last run, written over those with their key."""
    return sql_table(
        SHOP,
        table,
        incremental=dlt.sources.incremental("updated_at"),
        write_disposition="merge",
        primary_key="id",
        defer_table_reflect=True,  # nothing is read while this file is
    )


def added(table, by):
    """Rows of a table that only grows."""
    return sql_table(SHOP, table, incremental=dlt.sources.incremental(by), primary_key="id", defer_table_reflect=True)


def surveys():
    """Answers of every file that is new or was written again."""
    newer = dlt.sources.incremental("modification_date")
    files = filesystem(FILES.resolve().as_uri(), file_glob="*.csv", incremental=newer)
    answers = (files | read_csv(dtype=str, keep_default_na=False)).with_name("answers")
    return answers.apply_hints(write_disposition="merge", primary_key="id")


def desk():
    """Tickets that changed since the last run, page by page."""
    since = {"type": "incremental", "cursor_path": "updated_at", "initial_value": "2000-01-01T00:00:00Z"}
    tickets = {
        "name": "tickets",
        "primary_key": "id",
        "write_disposition": "merge",
        "endpoint": {"path": "tickets", "data_selector": "tickets", "params": {"since": since}},
    }
    paginator = {"type": "json_link", "next_url_path": "next"}
    return rest_api_source({"client": {"base_url": DESK, "paginator": paginator}, "resources": [tickets]})


SOURCES = {
    "shop": [changed("companies"), changed("people"), changed("contracts"), added("clicks", "clicked_at")],
    "surveys": surveys(),
    "desk": desk(),
}
