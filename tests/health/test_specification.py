"""Files of score models: what is refused, where it is pointed at, what makes another version."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cs_pipeline.errors import UserError
from cs_pipeline.health.library import SHIPPED, load_score_model, read_score_model, score_model_names, score_models

ROOT = Path(__file__).parents[2]
TEXT = (SHIPPED / "weekly_points.yaml").read_text(encoding="utf-8")


def refused(folder: Path, text: str) -> list[str]:
    """The complaints about a file, without its path."""
    path = folder / "weekly_points.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_score_model(path)
    return [line.removeprefix(f"{path}:") for line in str(error.value).splitlines()]


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        (
            "metric: nps_response ",
            "metric: nps_respons ",
            "there is no metric 'nps_respons'; did you mean 'nps_response'?",
        ),
        ("unit: ten", "unit: ratio", "expected ten, the unit of nps_response, got ratio"),
        ("{from: 0.5, below: 0.8, points: 10}", "{from: 0.5, below: 0.9, points: 10}", "overlaps another row from 0.8"),
        ("{from: 0.5, below: 0.8, points: 10}", "{from: 0.6, below: 0.8, points: 10}", "no row is for 0.5 up to 0.6"),
        ("{above: 90, points: 20}", "{from: 90, points: 20}", "overlaps another row from 90"),
        ("{equals: 1, points: 5}", "{equals: 3, points: 5}", "has no row for 1, which worst_open_ticket can be"),
        (
            "{from: 2, below: 3, points: 10}",
            "{from: 2, below: 3, points: 30}",
            "expected at most 20, the points of core",
        ),
        (
            "{from: 3, points: 20}",
            "{from: 3, points: 15}",
            "expected a row that gives the full 20 points, the most is 15",
        ),
        ("{from: 3, points: 20}", "{from: 3, above: 3, points: 20}", "expected at most one of from and above"),
        ("{from: 3, points: 20}", "{from: 3, below: 3, points: 20}", "holds no value"),
        ("{from: 3, points: 20}", "{points: 20}", "expected equals, from, above, below or up_to"),
        ("{from: 3, points: 20}", "{from: 3, points: .nan}", "is not a finite number"),
        ("points: 40", "points: 50", "expected dimensions that add up to 100 points, got 110"),
        ("points: 40", "points: 50", "can never be reached: its metrics give 40 of 50"),
        ("    cap: clip ", "    #cap: clip ", "its metrics add up to 40 points of 20; expected a cap"),
        ("cap: clip", "cap: cut", "expected 'clip', 'halve' or 'rescale', got 'cut'"),
        ("calendar: falling", "calendar: rising", "expected 'never', 'falling' or 'always', got 'rising'"),
        ("metric: logged_in_7d ", "metric: opened_last_3_emails ", "'opened_last_3_emails' is scored already"),
        (
            "{band: Red, from: 0, severity: 3}",
            "{band: Red, from: 10, severity: 3}",
            "expected 0 for the last band, got 10",
        ),
        (
            "{band: Red, from: 0, severity: 3}",
            "{band: Red, from: 0, severity: 0}",
            "expected at least 1, the severity of",
        ),
        ("{band: Red, from: 0, severity: 3}", "{band: Green, from: 0, severity: 3}", "'Green' is there already"),
        ("{band: Yellow, from: 40, severity: 1}", "{band: Yellow, from: 80, severity: 1}", "expected less than 70"),
        ("severity: 3}", "severity: 4}", "expected less than or equal to 3, got 4"),
        ("coverage_floor: 0.5", "coverage_flor: 0.5", "is not a field here; did you mean coverage_floor?"),
        ("coverage_floor: 0.5", "coverage_floor: half", "expected a valid number, got 'half'"),
        ("model: weekly_points", "model: other_points", "expected the name of the file, 'weekly_points'"),
        ("at_risk_from: 1", "steadiness: {steadiness: 30.5}", "less than or equal to 30"),
        (
            "at_risk_from: 1",
            "escalation: {from_severity: 2, to_severity: 1}",
            "escalation.to_severity: expected more than 2, the severity it starts from, got 1",
        ),
        (
            "at_risk_from: 1",
            "escalation: {from_severity: 1, to_severity: 1}",
            "expected more than 1, the severity it starts from, got 1",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, was: str, becomes: str, complaint: str) -> None:
    assert was in TEXT
    complaints = refused(tmp_path, TEXT.replace(was, becomes, 1))
    assert any(complaint in each for each in complaints), complaints


def steady(green: int, yellow: int, steadiness: str) -> str:
    text = TEXT[: TEXT.index("variants:")].replace("from: 70", f"from: {green}").replace("from: 40", f"from: {yellow}")
    return text.replace("at_risk_from: 1", f"steadiness: {steadiness}", 1)


def test_hysteresis_that_shuts_a_band_is_refused(tmp_path: Path) -> None:
    assert [each.partition(": ")[2] for each in refused(tmp_path, steady(80, 20, "{steadiness: 25}"))] == [
        "steadiness.steadiness: expected at most 20, for no account could rise to Green, from 80; got 25",
        "steadiness.steadiness: expected less than 20, for no account could fall to Red, below 20; got 25",
    ]
    (tmp_path / "weekly_points.yaml").write_text(steady(80, 21, "{steadiness: 20}"), encoding="utf-8")
    assert read_score_model(tmp_path / "weekly_points.yaml").steadiness


def test_bands_that_leave_the_calendar_out_take_no_points_of_it_for_what_is_missing(tmp_path: Path) -> None:
    for missing in ("zero", "neutral"):
        text = steady(70, 40, "{calendar: left_out}").replace(
            "calendar: falling", f"missing: {missing}\n        calendar: falling"
        )
        (complaint,) = refused(tmp_path, text)
        assert complaint.startswith(f"{line_of(text, f'missing: {missing}')}: dimensions[3].metrics[1].missing: ")
        assert "expected exclude_reweight or carry_forward" in complaint


def test_a_complaint_names_line_and_field(tmp_path: Path) -> None:
    text = TEXT.replace("{from: 0.5, below: 0.8, points: 10}", "{from: 0.6, below: 0.8, points: 10}")
    assert refused(tmp_path, text) == [
        f"{line_of(text, 'from: 0.6')}: dimensions[1].metrics[1].table[2]: leaves a gap: no row is for 0.5 up to 0.6"
    ]


def test_a_team_overrides_a_shipped_model_by_its_name_and_adds_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "score_models"
    folder.mkdir()
    (folder / "weekly_points.yaml").write_text(TEXT.replace("from: 70", "from: 75"), encoding="utf-8")
    (folder / "ours.yaml").write_text(TEXT.replace("model: weekly_points", "model: ours"), encoding="utf-8")
    assert load_score_model("weekly_points", tmp_path).bands[0].from_ == 75
    assert load_score_model("weekly_points").bands[0].from_ == 70
    assert load_score_model("ours", tmp_path).model == "ours"
    with pytest.raises(UserError, match=r"no score model 'theirs'; there are: five_factor, .*, ours, "):
        load_score_model("theirs", tmp_path)


def models_of(folder: Path, **files: str) -> Path:
    """A configuration folder with these files of score models."""
    (folder / "score_models").mkdir()
    for name, text in files.items():
        (folder / "score_models" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_variant_is_found_however_its_name_is_written(tmp_path: Path) -> None:
    quoted = TEXT.replace("model: weekly_points_halve", "model: 'halves'")
    assert load_score_model("halves", models_of(tmp_path, weekly_points=quoted)).dimensions[2].cap == "halve"


def test_a_file_of_the_team_takes_the_place_of_a_shipped_variant_too(tmp_path: Path) -> None:
    text = TEXT[: TEXT.index("variants:")].replace("model: weekly_points", "model: weekly_points_halve")
    config = models_of(tmp_path, weekly_points_halve=text)
    assert score_model_names(config) == score_model_names()
    assert load_score_model("weekly_points_halve", config).dimensions[2].cap == "clip"
    assert score_models(config)["weekly_points_halve"].dimensions[2].cap == "clip"


def test_a_name_that_two_files_state_is_refused(tmp_path: Path) -> None:
    config = models_of(tmp_path, ours=TEXT.replace("model: weekly_points\n", "model: ours\n"))
    with pytest.raises(UserError, match=r"ours\.yaml: 'weekly_points_\w+' is stated in .*weekly_points\.yaml too"):
        score_model_names(config)


def changed(change: Callable[[dict[str, Any]], object], folder: Path) -> str:
    """Version of weekly_points after a change to its file."""
    definition = yaml.safe_load(TEXT)
    change(definition)
    path = folder / "weekly_points.yaml"
    path.write_text(yaml.safe_dump(definition, sort_keys=False), encoding="utf-8")
    return read_score_model(path).version


def test_a_version_changes_with_the_meaning_of_a_file_and_not_with_its_words(tmp_path: Path) -> None:
    version = load_score_model("weekly_points").version
    assert changed(lambda definition: definition.update(title="Points a week"), tmp_path) == version
    assert changed(lambda definition: definition.pop("description"), tmp_path) == version
    assert changed(lambda definition: definition.pop("coverage_floor"), tmp_path) == version  # 0.5 is the default
    assert changed(lambda definition: definition.update(coverage_floor=0.6), tmp_path) != version
    assert changed(lambda definition: definition["bands"][0].update({"from": 71}), tmp_path) != version
    assert changed(lambda definition: definition["dimensions"][2].update(cap="halve"), tmp_path) != version


def test_a_definition_that_was_kept_is_the_same_model_again() -> None:
    model = load_score_model("weekly_points")
    again = type(model).model_validate(model.definition)
    assert again == model
    assert again.version == model.version
