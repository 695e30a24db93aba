"""In which order the workers of pytest-xdist take the tests: the slowest first, so that none of them ends alone.

A slow test is marked `slow(seconds=…)`: about what it takes on an idle machine, its share of what is set up included.
Tests of a group (`xdist_group`) run one after the other on one worker, because they share what is set up.
"""

from collections import defaultdict

import pytest

AHEAD = 3
"""Tests that a worker holds before it is given no more. A group of fewer is filled up with quick tests, or the next
group would wait behind it.
"""


def put_slowest_first(items: list[pytest.Item]) -> None:
    """Sort `items` by how long their groups take; those that are quick come last. All else stays as it was."""
    groups: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        groups[_group(item) or item.nodeid].append(item)
    by_seconds = sorted(groups.values(), key=_seconds, reverse=True)
    slow = [members for members in by_seconds if _seconds(members)]
    quick = [item for members in by_seconds[len(slow) :] for item in members]
    alone = [item for item in quick if not _group(item)]  # those of a group may build on one another
    for number, members in enumerate(slow):
        group = pytest.mark.xdist_group(_group(members[0]) or f"slow_{number}")
        members += [alone.pop() for _ in range(min(len(alone), AHEAD - len(members)))]
        for item in members:
            if not _group(item):
                item.add_marker(group)
    first = [item for members in slow for item in members]
    taken = {item.nodeid for item in first}
    items[:] = [*first, *(item for item in quick if item.nodeid not in taken)]


def _group(item: pytest.Item) -> str:
    mark = item.get_closest_marker("xdist_group")
    return str(mark.args[0]) if mark else ""


def _seconds(items: list[pytest.Item]) -> float:
    marks = (item.get_closest_marker("slow") for item in items)
    return sum(float(mark.kwargs["seconds"]) for mark in marks if mark)
