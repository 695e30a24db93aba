"""Takes the fixtures of a company."""

from tests.builders.fixtures import company, settings

__all__ = ["company", "settings"]
