"""Read `routing.yaml`: the shipped one, and what a team's own says instead."""

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from cs_pipeline.feedback.definition import RoutingBook, TeamFile
from cs_pipeline.yaml_with_lines import Problem, validate

FILE = "routing.yaml"
SHIPPED = Path(__file__).with_name(FILE)


def load_routing(config: Path | None) -> RoutingBook:
    """The rules, word lists and triage in force.

    Raises InvalidFile with file, line and field where the team's file says what cannot be.
    """
    shipped = validate(RoutingBook, SHIPPED, _problems)
    path = None if config is None else config / FILE
    if path is None or not path.exists():
        return shipped
    team = validate(TeamFile, path, lambda file: _problems(RoutingBook.model_validate(file.over(shipped))))
    return RoutingBook.model_validate(team.over(shipped))


def _problems(book: RoutingBook) -> Iterator[Problem]:
    counts = Counter(rule.rule for rule in book.rules)
    for nth, rule in enumerate(book.rules):
        if counts[rule.rule] > 1:
            yield Problem(("rules", nth, "rule"), f"{rule.rule} is the name of {counts[rule.rule]} rules")
        for place, condition in enumerate(rule.when):
            for number, name in enumerate(condition.words):
                if name not in book.words:
                    where = ("rules", nth, "when", place, "words", number)
                    yield Problem(where, f"{name} is no word list{_nearest(name, book)}")


def _nearest(name: str, book: RoutingBook) -> str:
    close = get_close_matches(name, book.words, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(book.words)}"
