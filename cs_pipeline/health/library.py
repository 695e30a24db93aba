"""Find score models: in the team's configuration folder first, then among those that ship with the package."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from cs_pipeline.errors import UserError
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.validation import model_problems
from cs_pipeline.yaml_with_lines import Problem, validate

SHIPPED = Path(__file__).parent / "models"
CONFIG_FOLDER = "score_models"


def load_score_model(name: str, config: Path | None = None) -> ScoreModel:
    """The model or variant `name`: from `score_models/` in the configuration folder if it is there, else as shipped.

    Raises UserError that names file, line and field of everything that is wrong, and what was expected.
    """
    files = _files(config)
    if name in files:
        return read_score_model(files[name])
    # A draft of somebody that is not sound yet must not be in the way of models that it does not name.
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in files.values() if path.is_file()}
    naming = [path for path, text in texts.items() if name in text]
    stated = _stated(naming, files)
    if name not in stated:
        raise UserError(f"There is no score model {name!r}; there are: {', '.join(score_model_names(config))}")
    return stated[name]


def find_score_model(name_or_file: str, config: Path | None = None) -> ScoreModel:
    """The model in a file (anything that ends in .yaml), or the one of that name. Raises UserError as the others do."""
    if not name_or_file.endswith(".yaml"):
        return load_score_model(name_or_file, config)
    if not Path(name_or_file).is_file():
        raise UserError(f"There is no file {name_or_file}")
    return read_score_model(Path(name_or_file))


def find_score_models(names_or_files: Sequence[str], config: Path | None = None) -> list[ScoreModel]:
    """The models of those names or files (see `find_score_model`); all that there are when none is named."""
    return [find_score_model(name, config) for name in names_or_files] or list(score_models(config).values())


def score_model_names(config: Path | None = None) -> list[str]:
    """Names of all models and variants, sorted. Raises UserError as `score_models` does."""
    return list(score_models(config))


def score_models(config: Path | None = None) -> dict[str, ScoreModel]:
    """All models and variants by name, sorted; a file of the team takes the place of a shipped variant of its name.

    Raises UserError for a file that is not a sound model, and for a name that two files state.
    """
    files = _files(config)
    return dict(sorted(_stated(files.values(), files).items()))


def read_score_model(path: Path) -> ScoreModel:
    """The model in a file. Raises InvalidFile with file, line and field of everything that is wrong."""

    def check(model: ScoreModel) -> Iterator[Problem]:
        if model.model != path.stem:
            yield Problem(("model",), f"expected the name of the file, {path.stem!r}, got {model.model!r}")
        yield from model_problems(model)

    return validate(ScoreModel, path, check)


def _files(config: Path | None) -> dict[str, Path]:
    """Files of models by name; one of the team takes the place of a shipped one."""
    folders = [SHIPPED] if config is None else [SHIPPED, config / CONFIG_FOLDER]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}


def _stated(paths: Iterable[Path], files: Mapping[str, Path]) -> dict[str, ScoreModel]:
    """The models and variants in files at `paths`, by name."""
    models: dict[str, ScoreModel] = {}
    stated_in: dict[str, Path] = {}
    for path in paths:
        model = read_score_model(path)
        for each in (model, *(model.variant(variant.model) for variant in model.variants)):
            own = files.get(each.model, path)
            if own != path and path.parent == SHIPPED and own.parent != SHIPPED:
                continue
            if each.model in models:
                raise UserError(
                    f"{path}: {each.model!r} is stated in {stated_in[each.model]} too; "
                    "give one of them, model or variant, another name"
                )
            models[each.model], stated_in[each.model] = each, path
    return models
