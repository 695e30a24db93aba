"""A company that says things: the view of what was said as a table of the test's own."""

from datetime import timedelta

import pytest

from tests.builders.company import MONDAY, Company
from tests.builders.fixtures import clock, company, settings

__all__ = ["clock", "company", "settings", "talking"]

TABLES = """
create schema intermediate;
create table intermediate.int_feedback_items (
    said_in text, source_id text, account_id text, kind text, question text, feature text, asked_by text,
    score_share double precision, said_at timestamptz, settled_at timestamptz, words text, arrived_at timestamptz,
    primary key (said_in, source_id)
);
create table staging.stg_features (feature text, feature_name text);
insert into staging.stg_features values
    ('ab_tests', 'A/B tests'), ('reports', 'Reports'), ('campaigns', 'Campaigns');
"""


@pytest.fixture
def talking(company: Company) -> Company:
    """An account a tier, named after it, and nothing said yet."""
    company.run(TABLES)
    for tier in ("starter", "pro", "enterprise"):
        company.account(tier, tier=tier)
    return company


def say(company: Company, source_id: str, words: str | None, **values: object) -> None:
    """Something is said: as untagged feedback of the Pro account an hour ago, but for `values`."""
    said_at = values.pop("said_at", MONDAY - timedelta(hours=1))
    defaults = {"said_in": "feedback", "account_id": "pro", "kind": "untagged", "arrived_at": said_at}
    row = {"source_id": source_id, "words": words, "said_at": said_at, **defaults, **values}
    company.insert("intermediate.int_feedback_items", **row)
