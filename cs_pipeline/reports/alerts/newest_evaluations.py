"""Rules as they were evaluated last, for the lists of rules to build on."""

from cs_pipeline.sql_files import read_sql


def newest_evaluations() -> str:
    """A select of the rules in the value `rules`: rule, health, as_of, evaluated_at, error, is_absent."""
    return read_sql(__file__)
