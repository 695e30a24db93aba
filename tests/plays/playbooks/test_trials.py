"""What a step is to reach and in which variants it is tried: read, drawn, and said in the playbook."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cs_pipeline.plays.playbooks.condition_types import ConditionError
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.playbooks.trials import Goal, Variant, variant_of
from tests.builders.company import save_play

SHORT = Variant(variant="short", template="short_guide")
LONG = Variant(variant="long", template="long_guide", weight=2)
GUIDE = {"step": "guide", "day": 0, "channel": "email", "to": "champion", "template": "t", "intent": "educate"}


def test_a_goal_is_a_condition_on_a_week_and_a_time() -> None:
    goal = Goal.parse("core_features_used >= 3 within 14 days")
    assert goal.days == 14
    assert set(goal.condition.facts) == {"core_features_used"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("core_features_used >= 3", "expected a condition and a time"),
        ("core_features_used >= 3 within 3 days", "expected 7 to 365 days, got 3"),
        ("core_features_used >= 3 within 999 days", "expected 7 to 365 days, got 999"),
        ("core_feature_used >= 3 within 14 days", "core_feature"),
    ],
)
def test_a_goal_that_cannot_be_asked_is_refused_with_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(ConditionError, match=expected):
        Goal.parse(text)


def test_variants_are_drawn_by_their_weights() -> None:
    drawn = Counter(variant_of("play", "guide", (SHORT, LONG), f"account-{number}") for number in range(8_000))
    assert drawn[None] == pytest.approx(2_000, rel=0.1)
    assert drawn[SHORT] == pytest.approx(2_000, rel=0.1)
    assert drawn[LONG] == pytest.approx(4_000, rel=0.1)


@given(st.text(max_size=20), st.lists(st.floats(0.01, 100), max_size=4))
def test_an_account_draws_the_same_variant_for_ever(account: str, weights: list[float]) -> None:
    variants = tuple(Variant(variant=f"v{n}", template="t", weight=weight) for n, weight in enumerate(weights))
    first = variant_of("play", "guide", variants, account)
    assert first is None or first in variants
    assert all(variant_of("play", "guide", variants, account) == first for _ in range(3))


def test_steps_draw_apart_from_each_other() -> None:
    accounts = [f"account-{number}" for number in range(400)]
    alike = [
        variant_of("play", "one", (SHORT,), each) == variant_of("play", "two", (SHORT,), each) for each in accounts
    ]
    assert 0.35 < sum(alike) / len(alike) < 0.65


def test_a_step_that_tries_nothing_reads_as_it_always_did() -> None:
    said = save_play().model_dump(mode="json")
    assert not {"goal", "variants"} & set(said["steps"][0])
    tried = save_play(steps=[{**GUIDE, "goal": "logged_in_7d == 1 within 14 days", "variants": [SHORT.model_dump()]}])
    assert {"goal", "variants"} <= set(tried.model_dump(mode="json")["steps"][0])
    assert Playbook.model_validate(tried.model_dump(mode="json")) == tried


def test_a_variant_needs_a_name_and_a_weight_that_can_be() -> None:
    for broken in ({"variant": "B"}, {"weight": 0}, {"weight": 101}, {"templates": "t"}):
        with pytest.raises(ValidationError):
            save_play(steps=[{**GUIDE, "variants": [{**SHORT.model_dump(), **broken}]}])
