"""Workers begin with what takes longest, and a group waits behind none."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.slowest_first import put_slowest_first


@dataclass
class Item:
    """What is asked of a collected test."""

    nodeid: str
    marks: list[Any] = field(default_factory=list)

    def get_closest_marker(self, name: str) -> Any:
        return next((mark.mark for mark in self.marks if mark.name == name), None)

    def add_marker(self, mark: Any) -> None:
        self.marks.append(mark)


def slow(seconds: float) -> pytest.MarkDecorator:
    return pytest.mark.slow(seconds=seconds)


def put_in_order(*items: Item) -> list[tuple[str, str]]:
    """Names of the tests as they are taken, and their groups."""
    taken = [*items]
    put_slowest_first(cast("list[pytest.Item]", taken))
    groups = (item.get_closest_marker("xdist_group") for item in taken)
    return [(item.nodeid, mark.args[0] if mark else "") for item, mark in zip(taken, groups, strict=True)]


def test_groups_go_by_what_all_their_tests_take_and_quick_tests_come_last_as_they_stand() -> None:
    group = pytest.mark.xdist_group("shared")
    shared = [Item(f"shared {number}", [group, slow(5)]) for number in range(4)]
    quick = [Item(f"quick {number}") for number in range(3)]
    taken = put_in_order(quick[0], shared[0], quick[1], *shared[1:], quick[2])
    assert taken == [*((f"shared {number}", "shared") for number in range(4)), *((f"quick {n}", "") for n in range(3))]


def test_a_slow_test_is_filled_up_with_quick_ones_so_that_no_other_slow_one_waits_behind_it() -> None:
    quick = [Item(f"quick {number}") for number in range(5)]
    taken = put_in_order(Item("slow", [slow(2)]), *quick, Item("slowest", [slow(9)]))
    groups = [group for _, group in taken]
    assert [name for name, _ in taken if "slow" in name] == ["slowest", "slow"]
    assert groups == ["slow_0"] * 3 + ["slow_1"] * 3 + [""]
    assert taken[-1] == ("quick 0", "")


def test_quick_tests_of_a_group_stay_together_as_they_stand() -> None:
    group = pytest.mark.xdist_group("shared")
    taken = put_in_order(
        Item("quick"), *(Item(f"shared {number}", [group]) for number in range(3)), Item("slow", [slow(2)])
    )
    assert taken == [("slow", "slow_0"), ("quick", "slow_0"), *((f"shared {number}", "shared") for number in range(3))]


def test_where_nothing_is_quick_groups_stay_as_they_are() -> None:
    assert put_in_order(Item("one", [slow(1)]), Item("two", [slow(2)])) == [("two", "slow_0"), ("one", "slow_1")]
