"""Before PostgreSQL 16 a function of ours says which texts are values of a type: the same as PostgreSQL's own since."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_pipeline.warehouse import input_is_valid
from cs_pipeline.warehouse.connection import Warehouse

TYPES = ("timestamp", "timestamptz", "date", "integer", "double precision")
NUMBERS = ["", "0", "-5", "+7", "999999999", "9999999999", "2147483648", "1.5", "1e5", "nan", "--1", "1.", ".5", "٣"]
DAYS = ["2024-02-29", "2023-02-29", "2024-13-01", "0000-01-01", "2024-04-31", "2024-12-31", "2024-1-1", "now"]
MOMENTS = [
    f"2024-01-{day}{time}"
    for day in ("28", "31", "32")
    for time in ("T10:00", " 24:00", " 10:00:60", " 10:00:00.1234567", "T10:00:00+14:00", "T1:00Z", "T10:00:00Z", "\n")
]
_TIME = r"[T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,7})?)?(Z|[+-][01][0-9](:?[0-6]0)?)?"
LIKE_A_MOMENT = st.from_regex(rf"\A[0-2]{{1,4}}-[01][0-9]-[0-3][0-9]({_TIME})?\Z")


def verdicts(warehouse: Warehouse, values: list[str], *, ours: bool) -> list[tuple[str, ...]]:
    """The values that are valid, by type."""
    with warehouse.session() as session, session.cursor() as cursor, pytest.MonkeyPatch.context() as patch:
        if session.server_version < input_is_valid.FIRST_WITH_INPUT_IS_VALID:
            pytest.skip("this PostgreSQL has no function of its own to compare with")
        patch.setattr(input_is_valid, "FIRST_WITH_INPUT_IS_VALID", 10**9 if ours else 0)
        name = input_is_valid.validity_function(cursor)
        assert ("pg_temp" in name) == ours
        cursor.execute(
            f"select type, value from unnest(%s) as value cross join unnest(%s) as type where {name}(value, type)",
            (values, list(TYPES)),
        )
        return sorted(cursor.fetchall())


def test_what_is_a_value_of_a_type_is_the_same_by_both_functions(warehouse: Warehouse) -> None:
    values = [*NUMBERS, *DAYS, *MOMENTS]
    found = verdicts(warehouse, values, ours=True)
    assert found == verdicts(warehouse, values, ours=False)
    assert {kind for kind, _ in found} == set(TYPES)


@pytest.fixture(scope="module")
def some_moments() -> list[str]:
    """Texts that look like moments, most of which are none."""
    texts: set[str] = set()

    @given(st.lists(LIKE_A_MOMENT, min_size=20, max_size=20))
    def collect(examples: list[str]) -> None:
        texts.update(examples)

    collect()
    return sorted(texts)


def test_texts_that_look_like_moments_are_judged_alike(warehouse: Warehouse, some_moments: list[str]) -> None:
    assert len(some_moments) > 200
    assert verdicts(warehouse, some_moments, ours=True) == verdicts(warehouse, some_moments, ours=False)


def test_nothing_is_neither_valid_nor_invalid(warehouse: Warehouse) -> None:
    with warehouse.session() as session, session.cursor() as cursor, pytest.MonkeyPatch.context() as patch:
        patch.setattr(input_is_valid, "FIRST_WITH_INPUT_IS_VALID", 10**9)
        cursor.execute(f"select {input_is_valid.validity_function(cursor)}(null, 'date')")
        assert cursor.fetchone() == (None,)
