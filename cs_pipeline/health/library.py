"""Where score models are found: the team's configuration folder first, then what ships with the package."""

from collections.abc import Iterator
from pathlib import Path

from cs_pipeline.errors import UserError
from cs_pipeline.health.soundness import unsound
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.yaml_with_lines import Problem, validate

SHIPPED = Path(__file__).parent / "models"
CONFIG_FOLDER = "score_models"


def load_score_model(name: str, config: Path | None = None) -> ScoreModel:
    """The model `name`: from `score_models/` in the configuration folder if it is there, else as shipped.

    Raises UserError that names file, line and field of everything that is wrong, and what was expected.
    """
    folders = [SHIPPED] if config is None else [config / CONFIG_FOLDER, SHIPPED]
    for folder in folders:
        if (path := folder / f"{name}.yaml").exists():
            return read_score_model(path)
    known = sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})
    raise UserError(f"There is no score model {name!r}; there are: {', '.join(known)}")


def read_score_model(path: Path) -> ScoreModel:
    """The model in a file. Raises InvalidFile with file, line and field of everything that is wrong."""

    def check(model: ScoreModel) -> Iterator[Problem]:
        if model.model != path.stem:
            yield Problem(("model",), f"expected the name of the file, {path.stem!r}, got {model.model!r}")
        yield from unsound(model)

    return validate(ScoreModel, path, check)
