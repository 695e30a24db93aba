"""The registry of channels: whatever the rest of the code asks of a channel is there for every one of them."""

import re
from pathlib import Path

import pytest

import cs_pipeline
from cs_pipeline.channels.registry import KINDS, ChannelKind
from cs_pipeline.plays.messages.loader import SHIPPED, SUFFIXES
from cs_pipeline.plays.messages.renderer import FRONT, WHY
from cs_pipeline.settings import Settings

PACKAGE = Path(cs_pipeline.__file__).parent
CONTRIBUTING = (PACKAGE.parent / "docs" / "contributing.md").read_text(encoding="utf-8")
RECIPE = CONTRIBUTING.partition("## Add a channel")[2].partition("\n## ")[0]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_channel_has_a_page_a_form_settings_that_are_there_and_the_end_of_its_messages(kind: ChannelKind):
    assert (PACKAGE / "channels" / "pages" / f"{kind.name}.html.j2").is_file()
    assert kind.form in SUFFIXES
    assert (kind.layout is not None) == (kind.form == "blocks")
    assert (kind.form in FRONT) == (kind.layout is None)
    assert re.fullmatch(r"#[0-9a-f]{6}", kind.colour)
    asked = {*kind.requires, *([kind.connected_by] if kind.connected_by else [])}
    assert asked <= set(Settings.model_fields)
    if kind.form in ("blocks", "record"):
        assert (SHIPPED / kind.name / (WHY + SUFFIXES[kind.form])).is_file()
    if kind.instead is not None:
        assert kind.instead.kind in KINDS


def test_a_channel_of_our_own_people_reaches_no_customer():
    assert {name for name, kind in KINDS.items() if not kind.reaches_customers} == {"slack", "teams", "crm"}


def test_names_and_colours_tell_channels_apart():
    assert [name for name, kind in KINDS.items() if kind.name != name] == []
    assert len({kind.colour for kind in KINDS.values()}) == len({kind.title for kind in KINDS.values()}) == len(KINDS)


def test_the_recipe_for_a_channel_names_files_that_are_there_and_no_more_than_eight():
    table = [line.split("|")[1] for line in RECIPE.splitlines() if line.startswith("| `")]
    files = [re.findall(r"`([^`]+)`", cell)[0] for cell in table]
    assert 0 < len(files) <= 8
    missing = [
        file
        for file in files
        if not (PACKAGE.parent / file.replace("<name>", "teams").replace("<its blocks>", "adaptive_cards")).is_file()
    ]
    assert missing == []
