"""Complaints about YAML files: file, line, field and what was expected."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from cs_pipeline.yaml_with_lines import InvalidFile, Problem, read_yaml, validate


class Leaf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    size: int


class Tree(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tree: str
    leaves: tuple[Leaf, ...] = Field(default=(), alias="leaves")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tree.yaml"


def complaint(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(InvalidFile) as refused:
        validate(Tree, file)
    return str(refused.value).replace(str(file), "tree.yaml")


def test_every_problem_of_a_file_is_named_at_once_with_its_line(file: Path) -> None:
    text = "tree: oak\nleaves:\n  - name: a\n    size: big\n  - nam: b\n    size: 3\ncolour: red\n"
    assert complaint(file, text).splitlines() == [
        "tree.yaml:4: leaves[1].size: expected a valid integer, got 'big'",
        "tree.yaml:5: leaves[2].nam: is not a field here; did you mean name?",
        "tree.yaml:5: leaves[2].name: is missing",
        "tree.yaml:7: colour: is not a field here; expected one of leaves, tree",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "tree.yaml: is empty"),
        ("- oak\n", "tree.yaml:1: expected fields with values"),
        ("tree: [oak\n", "is not YAML"),
        ("tree: a: b\n", "tree.yaml:1:8: is not YAML"),
        ("tree: oak\nleaves: []\ntree: elm\n", "tree.yaml:3: tree: is repeated; line 1 has it already"),
    ],
)
def test_what_is_not_a_mapping_of_fields_is_refused_in_one_line(file: Path, text: str, words: str) -> None:
    message = complaint(file, text)
    assert words in message
    assert len(message.splitlines()) == 1


def test_a_file_that_is_absent_or_not_utf8_is_named(file: Path) -> None:
    with pytest.raises(InvalidFile, match="there is no such file"):
        read_yaml(file)
    file.write_bytes(b"tree: \xff\n")
    with pytest.raises(InvalidFile, match="is not UTF-8"):
        read_yaml(file)


def test_a_check_of_the_whole_points_at_the_line_of_the_value(file: Path) -> None:
    def check(tree: Tree) -> Iterator[Problem]:
        yield Problem(("leaves", 1, "size"), "is larger than the tree")

    file.write_text("tree: oak\nleaves:\n  - {name: a, size: 1}\n  - name: b\n    size: 9\n")
    with pytest.raises(InvalidFile, match=r":5: leaves\[2\].size: is larger than the tree$"):
        validate(Tree, file, check)


def test_values_below_an_anchor_keep_their_lines(file: Path) -> None:
    file.write_text("tree: oak\nleaves:\n  - &leaf {name: a, size: 1}\n  - *leaf\n")
    assert len(validate(Tree, file).leaves) == 2
    _, line_of = read_yaml(file)
    assert line_of(("leaves", 1)) == 3
    assert line_of(("leaves", 7, "name")) == 2
