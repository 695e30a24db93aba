"""SQL in files beside the modules that run it: found by the module's name, with every part put in."""

from pathlib import Path

import pytest

from cs_pipeline.sql_files import read_sql


@pytest.fixture
def module(tmp_path: Path) -> str:
    (tmp_path / "orders.sql").write_text("select %(day)s::date\n")
    (tmp_path / "orders.count.sql").write_text("select count(*), '{}' from {orders} where {orders}.day = $1\n")
    return str(tmp_path / "orders.py")


def test_a_statement_is_found_beside_its_module(module: str) -> None:
    assert read_sql(module) == "select %(day)s::date\n"


def test_parts_are_put_in_wherever_they_are_named_and_values_are_left_to_be_bound(module: str) -> None:
    expected = "select count(*), '{}' from raw.orders where raw.orders.day = $1\n"
    assert read_sql(module, "count", orders="raw.orders") == expected


@pytest.mark.parametrize("parts", [{}, {"orders": "raw.orders", "columns": "day"}])
def test_a_part_without_a_place_and_a_place_without_a_part_are_refused(module: str, parts: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"orders\.count\.sql and who reads it differ in: (orders|columns)"):
        read_sql(module, "count", **parts)


def test_every_statement_of_the_package_is_read_by_its_module() -> None:
    package = Path(__file__).parents[1] / "cs_pipeline"
    others = {"migrations", "project"}  # the project of a team has dbt models of its own
    files = [path for path in package.rglob("*.sql") if not others & set(path.relative_to(package).parts)]
    assert files
    for path in files:
        module, _, statement = path.stem.partition(".")
        source = "".join(path.with_name(f"{module}.py").read_text(encoding="utf-8").split())
        assert (f'read_sql(__file__,"{statement}"' if statement else "read_sql(__file__") in source, path
