"""docs/settings.md and deploy/.env.example, from the settings: `python -m tests.settings_pages` writes both."""

from pathlib import Path
from typing import get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from cs_pipeline.settings import PREFIX, Settings
from cs_pipeline.starter.settings_example import choices_of, comment, commented_settings, default_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "settings.md"
EXAMPLE = ROOT / "deploy" / ".env.example"
WRITTEN = "Written from `cs_pipeline/settings.py` by `python -m tests.settings_pages`"
PAGE_HEAD = f"""# Settings

<!-- {WRITTEN}; nothing here is written by hand. -->

Each is an environment variable, or a line of `settings.env` in the home folder, or of `.env` in the folder where a
command is started (which Dagster's own commands read too); the first of these that has it wins. A wrong one is refused
at the start of every command, by name and without its value. Secrets appear in no log, metadata or error; where they
come from a file, let your platform make a variable of it. What a score, a playbook or an alert means is no
setting: that is YAML in the folder `CS_PIPELINE_CONFIG`.

| variable | unless set | what it is |
|---|---|---|
"""
EXAMPLE_HEAD = f"""\
# {WRITTEN}.
# Copy it to .env beside docker-compose.yml, readable for you alone (chmod 600 .env), and set what is to differ; a line
# without # counts. Compose gives it to every service; the address of its own database stands in docker-compose.yml.
"""
CONTAINERS_OWN = {
    "POSTGRES_PASSWORD": "Password of the database of docker-compose.yml: letters and digits. Needed there.",
    "CS_PIPELINE_IMAGE": "Image and tag that all services run.",
}


def page() -> str:
    """The table of all settings."""
    return PAGE_HEAD + "".join(
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {_escaped(field.description or '')}{choices_of(field)} |\n"
        for name, field in Settings.model_fields.items()
    )


def example() -> str:
    """The file of variables, each with its sentence, none of them set."""
    own = [f"{comment(words)}\n#{name}=" for name, words in CONTAINERS_OWN.items()]
    return EXAMPLE_HEAD + "".join(f"\n{each}\n" for each in [*own, *commented_settings()])


def _default(field: FieldInfo) -> str:
    if SecretStr in get_args(field.annotation):
        return "none (secret)"
    return f"`{default_of(field)}`" if default_of(field) else "empty"


def _escaped(words: str) -> str:
    return words.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    EXAMPLE.write_text(example(), encoding="utf-8")
