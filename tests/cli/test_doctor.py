"""`doctor` looks at every score model of the team, also at one that nothing computes yet."""

from pathlib import Path

from cs_pipeline.cli.examination import Finding, examine
from cs_pipeline.health.library import SHIPPED
from cs_pipeline.settings import Settings


def said_of_score_models(config: Path) -> Finding:
    settings = Settings(home=config / "home", config=config)
    return next(finding for finding in examine(settings) if finding.subject == "score models")


def test_a_new_model_file_is_checked_before_anything_computes_it(tmp_path: Path) -> None:
    text = (SHIPPED / "weekly_points.yaml").read_text(encoding="utf-8")
    own = text[: text.index("variants:")].replace("model: weekly_points", "model: ours", 1)
    path = tmp_path / "score_models" / "ours.yaml"
    path.parent.mkdir()
    path.write_text(own.replace("coverage_floor:", "coverage_flor:"), encoding="utf-8")
    found = said_of_score_models(tmp_path)
    assert found.state == "wrong"
    assert "selection.yaml" not in found.words  # what is computed does not depend on it
    assert "ours.yaml:7: coverage_flor: is not a field here" in found.words
    path.write_text(own, encoding="utf-8")
    found = said_of_score_models(tmp_path)
    assert found.state == "ok"
    assert "valid and not computed: ours, weekly_points_halve" in found.words
