"""Customer-success pipeline: dbt marts, weekly health scores, renewal windows and plays, on Dagster and PostgreSQL."""

__version__ = "0.1.0"
