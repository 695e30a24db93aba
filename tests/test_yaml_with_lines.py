"""Complaints about YAML files: file, line, field and what was expected."""

import contextlib
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
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


LAUGHS = "tree: oak\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)
MERGES = "a0: &a0 {k: x}\n" + "".join(
    f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}]}}\n" for level in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LAUGHS, "more than 50,000 values once its aliases are written out"),
        (LAUGHS + "leaves: *a11\n", "more than 50,000 values once its aliases are written out"),
        (MERGES, "more than 50,000 values once its aliases are written out"),
        ("tree: &a [*a]\n", "an alias of what it stands in"),
        ("tree: &a {b: {c: *a}}\n", "an alias of what it stands in"),
        ("tree: " + "[" * 100 + "]" * 100, "more than 40 levels deep"),
        ("tree: " + "[" * 100_000, "more than 40 levels deep"),
        ("".join(f"{' ' * level}a:\n" for level in range(300)), "more than 40 levels deep"),
        ("tree: " + "{a: " * 50 + "1" + "}" * 50, "more than 40 levels deep"),
        ("tree: " + "9" * 5_000, "it cannot be read; put it into quotes"),
        ("tree: 0x" + "f" * 5_000, "is too large a number"),
        ("tree: 99999999999999999999", "is too large a number"),
        ("leaves:\n - {name: a, size: 190:20:30}", "tree.yaml:2: '190:20:30' is read as a number to the base 60"),
        ("tree: 1:30.5", "is read as a number to the base 60"),
        ("tree: " + ":".join(["59"] * 4_000), "is read as a number to the base 60"),
        ("tree: .inf", "is not a finite number"),
        ("tree: 1.0e+999", "is not a finite number"),
        ("tree: !!bool perhaps", "is not a value"),
        ("tree: !!timestamp later", "is not a value"),
        ("tree: !!float ''", "is not a value"),
        ("tree: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("tree: oak\n" + "# much\n" * 100_000, "is larger than 500,000 bytes"),
        ("tree: oak\ncolour: " + "x" * 100_000, "is not a field here"),
        ("tree: oak\n" + "".join(f"colour{number}: red\n" for number in range(300)), "and 250 more"),
        ("1: a\ntrue: b\nnull: c\n2024-01-01: d\n", "tree.yaml:1:"),
    ],
    ids=itertools.count(),
)
def test_what_is_hostile_is_refused_in_a_sentence(file: Path, text: str, words: str) -> None:
    message = complaint(file, text)
    assert words in message
    assert all(len(line) < 700 for line in message.splitlines())
    assert len(message.splitlines()) <= 51


@pytest.mark.parametrize(
    "text", ["- !!binary aGk=\n", "{}", "!!set {a, b}\n", "? [a]\n: b\n", "&a\n", "*a\n", "%TAG ! x\n"]
)
def test_odd_documents_are_refused_too(file: Path, text: str) -> None:
    assert complaint(file, text).startswith("tree.yaml")


@given(st.text("abx0129:.-+_[]{}&*!<>|%@'\"#,? \n\t~e", max_size=60), st.sampled_from(["", "tree: ", "leaves:\n - "]))
def test_no_text_ends_in_anything_but_a_tree_or_a_complaint(text: str, before: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tree.yaml"
        path.write_text(before + text, encoding="utf-8")
        with contextlib.suppress(InvalidFile):
            validate(Tree, path)


def test_a_pipe_a_device_a_socket_and_a_folder_are_no_files(file: Path, tmp_path: Path) -> None:
    pipe, link, folder = tmp_path / "pipe.yaml", tmp_path / "link.yaml", tmp_path / "folder.yaml"
    os.mkfifo(pipe)
    link.symlink_to("/dev/zero")
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(file))
        for path, kind in ((pipe, "a named pipe"), (link, "a device"), (folder, "a folder"), (file, "a socket")):
            with pytest.raises(InvalidFile, match=f"is {kind}, not a file"):
                read_yaml(path)
