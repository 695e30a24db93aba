"""Takes the fixtures of a company and of empty marts."""

from tests.builders.fixtures import clock, company, marts, settings

__all__ = ["clock", "company", "marts", "settings"]
