"""Say where each table stands once the warehouse is spread over several servers (Citus); on one server it says nothing.

Distributed: cut by `account_id`, so that what belongs to an account is on one server and is joined there. Reference: a
copy on every server. Local: on the coordinator alone. To bring a database into this shape belongs to `distribute`.
"""

from collections.abc import Mapping
from enum import StrEnum

from cs_pipeline.warehouse.contract import Contract, SourceTable


class Place(StrEnum):
    """Where the rows of a table are."""

    DISTRIBUTED = "distributed"
    REFERENCE = "reference"
    LOCAL = "local"


DISTRIBUTION_COLUMN = "account_id"

FIRST = "raw.accounts"
"""The table with which every distributed table shares its cut."""

PER_ACCOUNT: Mapping[str, str] = {
    "cs.health_scores": "a row per account, week and model",
    "cs.score_changes": "a row per account, week and model",
    "cs.parent_scores": "a row per parent account, week and model",
    "cs.renewal_windows": "a row per renewal of an account",
    "cs.renewal_forecasts": "a row per renewal of an account and week",
    "cs.segment_members": "a row per segment and account in it",
    "cs.account_overview": "a row per account",
}
"""The tables of `cs` that are distributed, and why."""

EVERYWHERE: Mapping[str, str] = {
    "cs.score_models": "joined with every score, and small",
    "cs.score_calibrations": "joined with every score, and small",
    "cs.score_overrides": "asked about every account that is scored, and small",
    "cs.scored_weeks": "asked about every week that is scored, and small",
    "cs.segments": "its members refer to it, and it is small",
}
"""The tables of `cs` that are reference tables, and why."""

MODEL_SCHEMAS = ("intermediate", "marts", "snapshots")
"""Where dbt builds tables: those with the column `account_id` are distributed, the others are sums and stay local."""

ON_COORDINATOR = "the outbox and what goes with it: locked row by row, which Citus refuses over servers, or small"
"""Why every table that is named nowhere is local."""


def place_of_source(table: SourceTable) -> Place:
    """Where a table of the source contract stands: what is about no account is small, and joined with what is."""
    return Place.DISTRIBUTED if DISTRIBUTION_COLUMN in table.column_names else Place.REFERENCE


def distributed_tables(contract: Contract) -> list[str]:
    """The relations that are cut by account, but for those that dbt builds; the one they are all cut like first."""
    raw = [table.relation for table in contract.tables.values() if place_of_source(table) is Place.DISTRIBUTED]
    return sorted([*raw, *PER_ACCOUNT], key=lambda relation: (relation != FIRST, relation))


def reference_tables(contract: Contract) -> list[str]:
    """The relations of which every server has a copy."""
    raw = [table.relation for table in contract.tables.values() if place_of_source(table) is Place.REFERENCE]
    return sorted([*raw, *EVERYWHERE])
