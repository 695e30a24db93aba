"""Takes the fixture of empty marts."""

from tests.builders.fixtures import marts

__all__ = ["marts"]
