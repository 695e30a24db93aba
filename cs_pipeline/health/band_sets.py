"""Read `bands.yaml`: band sets that score models may name, words for them, and what helps at each severity."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from cs_pipeline.yaml_with_lines import read_yaml

FILE = Path(__file__).with_name("bands.yaml")


def bands_of_set(named: Mapping[str, object]) -> list[dict[str, Any]]:
    """The bands of `{set: …, names: …}` as a model file would write them out, healthiest first.

    Without `names` they have the usual words of the set. Raises ValueError for a set or words that are not there,
    and for words that are not as many as the bands.
    """
    if not set(named) <= {"set", "names"} or "set" not in named:
        raise ValueError(f"expected a list of bands, or set and names, got {', '.join(map(str, named))}")
    sets, names = _content()["sets"], _content()["names"]
    if named["set"] not in sets:
        raise ValueError(f"expected a set among {', '.join(sets)}, got {named['set']!r}")
    found = sets[named["set"]]
    words = named.get("names", found["names"])
    if words not in names:
        raise ValueError(f"expected names among {', '.join(names)}, got {words!r}")
    if len(names[words]) != len(found["bands"]):
        raise ValueError(f"{words} has {len(names[words])} words for the {len(found['bands'])} bands of {named['set']}")
    return [{"band": name, **band} for name, band in zip(names[words], found["bands"], strict=True)]


def advice(severity: int) -> tuple[list[str], list[str]]:
    """What accounts of a severity look like, and what helps them (S4-69 to S4-76)."""
    found = next(row for row in _content()["advice"] if row["severity"] == severity)
    return found["looks_like"], found["helps"]


@cache
def _content() -> dict[str, Any]:
    content, _ = read_yaml(FILE)
    return cast("dict[str, Any]", content)
