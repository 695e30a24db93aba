"""Plant the effect of a play, where asked to: customers who would have left are kept.

A kept customer goes on as if it would leave, to the day on which it would have; on that day it stays, and its use comes
back. So what starts a play comes to the same for everybody, held out or not, and the two differ by the play alone.
Nothing is planted unless a company is given a `PlayEffect`.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from cs_pipeline.demo.accounts import account_keys
from cs_pipeline.demo.company import PlayEffect, SampleCompany
from cs_pipeline.demo.planted_outcomes import CHAMPION_LEFT, DISENGAGEMENT, SUPPORT_PAIN, Outcomes
from cs_pipeline.plays.enrolment.holdout import held_out

MET = (DISENGAGEMENT, CHAMPION_LEFT, SUPPORT_PAIN)
"""Causes that show in the score long before the end, and that somebody who calls can do something about."""

TREATMENT_EFFECTS_SCHEMA = pa.schema(
    [
        ("playbook", pa.string()),
        ("account_id", pa.string()),  # those that the playbook can keep, one row each
        ("would_leave_on", pa.date32()),  # the day it leaves unless it is kept
        ("is_held_out", pa.bool_()),
        ("is_kept", pa.bool_()),
        ("keeps", pa.float64()),  # the share that it keeps of those not held out
    ]
)


def apply_treatment(
    effect: PlayEffect, company: SampleCompany, block: int, outcomes: Outcomes
) -> tuple[Outcomes, pa.Table]:
    """The outcomes of a block once the play has had its effect, and the truth about it (TREATMENT_EFFECTS_SCHEMA)."""
    keys = account_keys(block, len(outcomes.cause))
    is_held_out = held_out(effect.playbook, pd.Series(keys)).to_numpy(bool)
    is_met = np.isin(outcomes.cause, MET)
    is_kept = is_met & ~is_held_out & (company.random(block, "rescues").random(len(keys)) < effect.keeps)
    truth = {
        "playbook": np.full(len(keys), effect.playbook.playbook, object),
        "account_id": keys,
        "would_leave_on": outcomes.churn,
        "is_held_out": is_held_out,
        "is_kept": is_kept,
        "keeps": np.full(len(keys), effect.keeps),
    }
    never = np.datetime64("NaT", "D")
    kept = replace(
        outcomes, kept=np.where(is_kept, outcomes.churn, never), churn=np.where(is_kept, never, outcomes.churn)
    )
    return kept, pa.table({name: values[is_met] for name, values in truth.items()}, schema=TREATMENT_EFFECTS_SCHEMA)
