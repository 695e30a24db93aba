"""Say what a step is to reach, and in which variants it is tried: its `goal`, its `variants`.

Here belongs what they mean and which account gets which. Whether a goal was reached, and which variant did better, is
in `backtest.trials`.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS, WEEK_COLUMNS
from cs_pipeline.plays.playbooks.condition_types import ConditionError
from cs_pipeline.plays.playbooks.conditions import Condition

BASE = "template"
"""Name of the step as it is, with which its variants are compared."""
FEWEST_DAYS, MOST_DAYS = 7, 365
_GOAL = re.compile(r"\s*(?P<condition>.+?)\s+within\s+(?P<days>\d{1,4})\s+days?\s*", re.S)
_OF_A_WEEK = {name: ACCOUNT_FACTS[name] for name in WEEK_COLUMNS}


@dataclass(frozen=True)
class Goal:
    """`core_features_used >= 3 within 14 days`: a week that ends within so many days, in which the condition holds."""

    condition: Condition
    days: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read it. Raises ConditionError that says what was expected."""
        found = _GOAL.fullmatch(text)
        if found is None:
            raise ConditionError(1, "expected a condition and a time, such as `core_features_used >= 3 within 14 days`")
        days = int(found["days"])
        if not FEWEST_DAYS <= days <= MOST_DAYS:
            raise ConditionError(
                len(text), f"expected {FEWEST_DAYS} to {MOST_DAYS} days, got {days}: facts are known week by week"
            )
        return cls(Condition.parse(found["condition"], _OF_A_WEEK), days)


class Variant(BaseModel):
    """Another template of a step, for `weight` accounts for each one that gets the step's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variant: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
    template: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
    weight: Annotated[float, Field(gt=0, le=100)] = 1.0


def variant_of(playbook: str, step: str, variants: Sequence[Variant], account_id: str) -> Variant | None:
    """The variant that an account gets, the same for ever while these stand there; None for the step's own template."""
    if not variants:
        return None
    text = f"{playbook}\n{step}\nvariant\n{account_id}"
    place = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64
    left = place * (1 + sum(variant.weight for variant in variants)) - 1  # the step's own template comes first
    for variant in variants:
        if left < 0:
            break
        left -= variant.weight
        if left < 0:
            return variant
    return None
