"""Takes the fixtures of a company, one of whose people was written to."""

import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import deliver
from tests.builders.fixtures import clock, company, settings

__all__ = ["clock", "company", "settings"]

MAIL = {"step": "s", "day": 0, "channel": "email", "to": "champion", "template": "t", "intent": "educate"}
TO_US = {**MAIL, "step": "ours", "to": "owner", "intent": "inform"}


@pytest.fixture
def written(company: Company, settings: Settings, clock: Clock) -> Company:
    """Ada of Acme has a mail of ours (captured), and Olga, who owns the account, has one about it."""
    company.account("acme", severity=1)
    enrol(company.warehouse, save_play(steps=[MAIL, TO_US], exit=[]), [company.fall("acme")], settings, MONDAY)
    deliver(company.warehouse, settings, clock)
    company.run("create table raw.accounts (account_id text primary key); insert into raw.accounts values ('acme')")
    return company
