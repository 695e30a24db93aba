"""Which model counts for whom."""

from pathlib import Path

import pandas as pd
import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.health.selection import CONFIG_FILE, load_selection

RULES = """
active:
  - {model: five_factor, tier: enterprise, lifecycle_stage: retention}
  - {model: usage_engagement_business, lifecycle_stage_five: trial}
  - {model: weekly_points}
side_by_side: [five_factor_capped, weekly_points]
"""


def written(folder: Path, text: str) -> Path:
    (folder / CONFIG_FILE).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.requirement("C-02", "C-17")
def test_tier_and_either_stage_choose_the_model_and_the_first_rule_that_fits_wins(tmp_path: Path) -> None:
    selection = load_selection(written(tmp_path, RULES))
    accounts = pd.DataFrame(
        [
            ("enterprise", "retention", "renewal"),
            ("enterprise", "onboarding", "trial"),
            ("pro", "onboarding", "trial"),
            ("pro", "retention", "growth"),
            (None, None, None),
        ],
        columns=["tier", "lifecycle_stage", "lifecycle_stage_five"],
    )
    chosen = [selection.models[position].model for position in selection.active(accounts)]
    assert chosen == [
        "five_factor",
        "usage_engagement_business",
        "usage_engagement_business",
        "weekly_points",
        "weekly_points",
    ]
    assert [model.model for model in selection.models] == [
        "five_factor",
        "usage_engagement_business",
        "weekly_points",
        "five_factor_capped",
    ]


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("  - {model: weekly_points}\n", "", "4: active[2]: expected a model for every account as the last rule"),
        (
            "{model: five_factor, tier: enterprise, lifecycle_stage: retention}",
            "{model: five_factor}",
            "3: active[1]: fits every account: the rules after it are never reached",
        ),
        ("trial", "free", "4: active[2].lifecycle_stage_five: expected 'trial', 'onboarding'"),
        ("[five_factor_capped", "[six_factor", "6: side_by_side[1]: There is no score model 'six_factor'; there are:"),
        ("tier:", "teir:", "3: active[1].teir: is not a field here; did you mean tier?"),
    ],
)
def test_a_wrong_rule_is_named_with_its_line(tmp_path: Path, was: str, becomes: str, complaint: str) -> None:
    with pytest.raises(UserError) as error:
        load_selection(written(tmp_path, RULES.replace(was, becomes)))
    assert complaint in str(error.value).replace("active[2]: expected a model", "active[2]: expected a model")


def test_a_model_that_is_wrong_is_named_with_its_own_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "score_models"
    folder.mkdir()
    (folder / "ours.yaml").write_text("model: ours\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"ours\.yaml:1: title: is missing"):
        load_selection(written(tmp_path, "active:\n  - {model: ours}\n"))
