"""Words are found as words: not inside others, not in what is quoted, not where they are taken back."""

from pathlib import Path

import pytest

from cs_pipeline.feedback.definition import Examples, WordList
from cs_pipeline.feedback.ledger import wrong_examples
from cs_pipeline.feedback.library import FILE, load_routing
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.yaml_with_lines import InvalidFile


@pytest.mark.requirement("S3-53", "S3-54", "S3-55", "S3-56", "S3-57")
def test_every_shipped_list_keeps_to_its_examples(warehouse: Warehouse) -> None:
    book = load_routing(None)
    for name, words in book.words.items():
        assert words.examples.found, name
        assert len(words.examples.not_found) >= 3, name
    with warehouse.session() as session:
        assert wrong_examples(session, book) == []


def test_words_are_found_whole_and_not_where_they_are_quoted_or_taken_back(warehouse: Warehouse) -> None:
    book = load_routing(None)
    names = WordList(
        meaning="Names",
        words=("Ace", "Hub Spot", "C++", "競合", "complain*", "l'outil"),
        examples=Examples(
            found=(
                "We use ACE.", "hub-spot", "Hub  Spot!", "In C++, yes", "弊社は競合製品を見ています", "They complained",
                "L’outil", "Not only Ace", "We do not like it. Ace is better", "Not now, but Ace later on, perhaps",
                "> quoted\nAce", "No. Ace.",
            ),
            not_found=(
                "A place", "Aces", "Spaces", "Hub. Spot", "hubspot", "> Ace", "  > we use Ace\nfine",
                "Thanks\nOn Tue, Ada <ada@x.example> wrote:\nAce\nAce", "-----Original Message-----\nAce",
                "never Ace", "We don’t use Ace", "not even with Ace", "Ace is not the problem", "",
            ),
        ),
    )  # fmt: skip
    with warehouse.session() as session:
        assert wrong_examples(session, book.model_copy(update={"words": {"names": names}})) == []
        broken = names.model_copy(update={"examples": Examples(found=("nothing",), not_found=("Ace",))})
        assert wrong_examples(session, book.model_copy(update={"words": {"names": broken}})) == [
            ("names", "found", "nothing"),
            ("names", "not_found", "Ace"),
        ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rules: []", ":1: rules: is an empty list"),
        (
            "rules:\n- rule: a\n  title: A\n  when: [{words: [competitor]}]\n  to: product\n",
            ":4: rules[1].when[1].words[1]: competitor is no word list; did you mean competitors?",
        ),
        (
            "rules:\n- rule: a\n  title: A\n  when: [{kind: [bug]}]\n  to: prodct\n",
            ":5: rules[1].to[1]: expected owner, manager, executive, team, sales, support, product",
        ),
        ("rules:\n- rule: a\n  title: A\n  when: [{}]\n  to: product\n", ":4: rules[1].when[1]: says nothing"),
        ("words:\n  a: {meaning: A, words: ['…']}\n", ":2: words.a: '…' holds no letter"),
        (
            "rules:\n" + 2 * "- {rule: a, title: A, when: [{kind: [bug]}], to: product}\n",
            ":2: rules[1].rule: a is the name of 2 rules",
        ),
        ("wrods: {}\n", ":1: wrods: "),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_field(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InvalidFile) as error:
        load_routing(tmp_path)
    assert f"{FILE}{complaint}" in str(error.value)
