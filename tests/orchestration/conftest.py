"""Takes the fixtures of a company."""

from tests.builders.fixtures import clock, company, settings

__all__ = ["clock", "company", "settings"]
