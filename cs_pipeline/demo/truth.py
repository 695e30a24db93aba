"""The known truth of a sample company, kept beside its tables: what was planted, for tests to recover.

Lies in `<folder>-truth`, as Parquet parts, and is loaded into schema `demo_truth`. Nothing in the pipeline
reads either.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa

from cs_pipeline.demo.accounts import Accounts
from cs_pipeline.demo.company import WEEK, SampleCompany
from cs_pipeline.demo.parquet_parts import read_pieces, table_names
from cs_pipeline.demo.planted_outcomes import CAUSES, OUTCOMES, TIERS, Outcomes
from cs_pipeline.demo.tables import ARROW_TYPES
from cs_pipeline.demo.timeline import MOMENT
from cs_pipeline.demo.treatment_effects import TREATMENT_EFFECTS_SCHEMA
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.bulk import append
from cs_pipeline.warehouse.connection import Warehouse

SCHEMA = "demo_truth"
VERSIONS, ACCOUNTS, REJECTS = "account_versions", "accounts_truth", "rejects_truth"
TREATMENT_EFFECTS = "rescues_truth"  # only of a company that was given the effect of a play

ACCOUNTS_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("fate", pa.string()),  # steady, churn, dip, expansion; churn also where a play keeps the account
        ("cause", pa.string()),  # of churn
        ("onset_on", pa.date32()),  # first day something was wrong
        ("leaves_on", pa.date32()),  # the day it leaves, also when that lies after the end
        ("churned_on", pa.date32()),  # the same, where it lies before the end
        ("lead_weeks", pa.int32()),  # weeks from onset to leaving
        ("dips_from", pa.date32()),
        ("recovers_on", pa.date32()),
        ("expands_on", pa.date32()),
        ("first_tier", pa.string()),
        ("liveliness", pa.float64()),  # use in ordinary times, 0 to 1
    ]
)
REJECTS_SCHEMA = pa.schema(
    [
        ("source_table", pa.string()),
        ("row_key", pa.string()),  # empty where the key itself is missing
        ("column_name", pa.string()),
        ("defect", pa.string()),
    ]
)
VERSIONS_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("valid_from", MOMENT),  # until the account's next version
        ("tier", pa.string()),
        ("plan", pa.string()),
        ("owner_email", pa.string()),
        ("manager_email", pa.string()),
        ("is_bad_fit", pa.bool_()),
    ]
)
SCHEMAS = {
    ACCOUNTS: ACCOUNTS_SCHEMA,
    VERSIONS: VERSIONS_SCHEMA,
    REJECTS: REJECTS_SCHEMA,
    TREATMENT_EFFECTS: TREATMENT_EFFECTS_SCHEMA,
}
SQL_TYPES = {kind: name for name, kind in ARROW_TYPES.items()}


def truth_folder(folder: Path) -> Path:
    """Where the truth about the tables in `folder` lies."""
    return folder.absolute().with_name(folder.absolute().name + "-truth")


def account_truth(company: SampleCompany, accounts: Accounts, outcomes: Outcomes) -> pa.Table:
    """What is planted in a block of accounts, one row each."""
    end = company.calendar.end
    never = np.datetime64("NaT", "D")
    columns = {
        "account_id": accounts.key,
        "fate": OUTCOMES[outcomes.outcome],
        "cause": np.where(outcomes.cause >= 0, CAUSES[outcomes.cause], np.array(None)),
        "onset_on": outcomes.onset,
        "leaves_on": outcomes.churn,
        "churned_on": np.where(outcomes.churn < end, outcomes.churn, never),
        "lead_weeks": np.where(outcomes.cause >= 0, (outcomes.churn - outcomes.onset) / WEEK, np.nan),
        "dips_from": outcomes.dip_from,
        "recovers_on": outcomes.dip_to,
        "expands_on": outcomes.expansion,
        "first_tier": TIERS[outcomes.tier],
        "liveliness": np.round(outcomes.liveliness, 4),
    }
    arrays = [pa.array(columns[field.name], from_pandas=True).cast(field.type) for field in ACCOUNTS_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=ACCOUNTS_SCHEMA)


def read_truth(folder: Path, name: str) -> pa.Table:
    """A truth table about the canonical tables in `folder`. Raises UserError where there is none."""
    pieces = list(read_pieces(truth_folder(folder), name))
    if not pieces:
        raise UserError(
            f"{truth_folder(folder) / name} is missing: {folder} was not written by `cs-pipeline data generate`, "
            "or its truth is gone."
        )
    return pa.concat_tables(pieces)


def load_truth(warehouse: Warehouse, folder: Path) -> None:
    """Load the truth about the tables in `folder` into schema `demo_truth`, replacing what is there."""
    names = table_names(truth_folder(folder))
    with warehouse.session() as connection, connection.cursor() as cursor:
        cursor.execute(f"drop schema if exists {SCHEMA} cascade")
        cursor.execute(f"create schema {SCHEMA}")
        for name in names:
            columns = ", ".join(f"{field.name} {SQL_TYPES[field.type]}" for field in SCHEMAS[name])
            cursor.execute(f"create table {SCHEMA}.{name} ({columns})")
    with warehouse.arrow() as connection:
        for name in names:
            append(connection, SCHEMA, name, read_truth(folder, name))
