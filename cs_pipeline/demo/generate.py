"""Generates a sample company, block by block of accounts, into Parquet files and the truth beside them.

Every block draws from streams of its own, so it is the same whichever blocks were made before, and memory is that of
one block however many accounts there are.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from cs_pipeline.demo import advocacy, catalogue, contracts, feedback, people, progress, relations, truth
from cs_pipeline.demo.accounts import account_columns, name_accounts
from cs_pipeline.demo.company import BLOCK_ACCOUNTS, SampleCompany
from cs_pipeline.demo.dirty_rows import with_dirty_rows
from cs_pipeline.demo.parquet_parts import PartWriter, remove_parts
from cs_pipeline.demo.planted_outcomes import activity, plant
from cs_pipeline.demo.tables import table
from cs_pipeline.demo.timeline import as_known_at
from cs_pipeline.demo.treatment_effects import apply_treatment
from cs_pipeline.demo.usage import use_product
from cs_pipeline.demo.versions import account_versions
from cs_pipeline.errors import UserError

Progress = Callable[[int, int], None]
Tables = dict[str, pa.Table]


def generate(folder: Path, company: SampleCompany, *, on_progress: Progress | None = None) -> None:
    """Write the canonical tables of `company` as known at its end into `folder`, and the truth into `<folder>-truth`.

    A company that was generated into the folder before is replaced; UserError is raised when it holds anything else.
    `on_progress` is told how many accounts are done, and of how many.
    """
    beside = truth.truth_folder(folder)
    _clear(folder, beside)
    with PartWriter(folder) as parts, PartWriter(beside) as truths:
        for name, rows in company_tables(company).items():
            parts.write(name, rows)
        for block in range(company.blocks):
            tables, planted = block_tables(company, block)
            for name, rows in tables.items():
                parts.write(name, rows)
            for name, rows in planted.items():
                truths.write(name, rows)
            if on_progress:
                on_progress(min((block + 1) * BLOCK_ACCOUNTS, company.accounts), company.accounts)


def company_tables(company: SampleCompany) -> Tables:
    """The tables that belong to no account, as known at the end."""
    made = {
        "features": catalogue.feature_table(company),
        "feature_launches": catalogue.launch_table(company),
        "support_agents": catalogue.agent_table(company),
    }
    return {name: as_known_at(name, rows, company.ends_at) for name, rows in made.items()}


def block_tables(company: SampleCompany, block: int) -> tuple[Tables, Tables]:
    """A block's part of every table of accounts, as known at the end, and of the truth."""
    size = min(BLOCK_ACCOUNTS, company.accounts - block * BLOCK_ACCOUNTS)
    outcomes, treatment_effects = plant(company, block, size), None
    if company.play_effect is not None:
        outcomes, treatment_effects = apply_treatment(company.play_effect, company, block, outcomes)
    lively = activity(outcomes, company, block)
    accounts = name_accounts(company, block, outcomes)
    users = people.gather_users(company, block, accounts, outcomes)
    signed = contracts.draw_up(company, block, users, outcomes)
    versions, today = account_versions(company, block, accounts, outcomes, signed)
    integrations = progress.integration_table(company, block, accounts, outcomes)
    mrr = np.zeros(size)
    mrr[signed.terms.account] = signed.terms.mrr

    made = {
        "accounts": table("accounts", {**account_columns(company, block, accounts, outcomes), **today}),
        "users": table("users", people.user_columns(company, block, accounts, users, outcomes)),
        "contact_roles": table("contact_roles", people.role_columns(accounts, users, outcomes)),
        "subscriptions": contracts.subscription_table(company, block, accounts, outcomes, signed),
        "invoices": contracts.invoice_table(company, block, accounts, outcomes, signed),
        "integrations": integrations,
        "events": use_product(company, block, accounts, users, outcomes, lively, integrations),
        "tickets": feedback.ticket_table(company, block, accounts, users, outcomes, lively),
        "survey_responses": feedback.survey_table(company, block, accounts, users, outcomes, lively),
        "feedback": feedback.feedback_table(company, block, accounts, users, outcomes, lively),
        "cancellation_requests": feedback.cancellation_table(company, block, accounts, outcomes),
        "email_events": relations.email_table(company, block, accounts, users, outcomes, lively),
        "touchpoints": relations.touchpoint_table(company, block, accounts, users, outcomes, lively),
        "event_attendance": relations.attendance_table(company, block, accounts, users, outcomes, lively),
        "onboarding_progress": progress.onboarding_table(company, block, accounts, outcomes),
        "value_log": progress.value_table(company, block, accounts, outcomes, lively, mrr),
        "orders": progress.order_table(company, block, accounts, users, outcomes, lively),
        "referrals": progress.referral_table(company, block, accounts, outcomes),
        "customer_references": advocacy.reference_table(company, block, accounts, users, outcomes),
        "case_studies": advocacy.case_study_table(company, block, accounts, outcomes),
        "certifications": advocacy.certification_table(company, block, accounts, users, outcomes),
        "signups": catalogue.signup_table(company, block, size),
    }
    known = {name: as_known_at(name, rows, company.ends_at) for name, rows in made.items()}
    planted = {truth.ACCOUNTS: truth.account_truth(company, accounts, outcomes), truth.VERSIONS: versions}
    if treatment_effects is not None:
        planted[truth.TREATMENT_EFFECTS] = treatment_effects
    if block == 0:
        known, planted[truth.REJECTS] = with_dirty_rows(company, known, accounts.key[0], users.key[0])
    return known, planted


def _clear(folder: Path, beside: Path) -> None:
    """Make room for a company, without ever deleting what was not generated."""
    if folder.is_dir() and any(folder.iterdir()) and not beside.is_dir():
        raise UserError(f"{folder} holds files that were not generated; name a new or an empty folder.")
    remove_parts(folder, beside)
    folder.mkdir(parents=True, exist_ok=True)
    beside.mkdir(parents=True)
