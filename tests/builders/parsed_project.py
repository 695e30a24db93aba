"""The dbt project as it was parsed once, given to one run after another: to parse is most of what a small run costs.

How a process is had in which dbt is loaded already is in `warm_dbt`.
"""

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.builders.warm_dbt import move

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


class ParsedProject:
    """What dbt parsed. Each run has nodes of its own, since dbt leaves compiled SQL in those that it is given; what it
    only reads is shared. Files, in which it keeps which settings were read, are for who parses.
    """

    def __init__(self, manifest: "Manifest") -> None:
        self.manifest = manifest
        self._nodes = pickle.dumps((manifest.nodes, manifest.sources, manifest.unit_tests))

    def in_database(self, database: str) -> "Manifest":
        """The project, to be run in that database."""
        nodes, sources, unit_tests = pickle.loads(self._nodes)
        given = replace(self.manifest, nodes=nodes, sources=sources, unit_tests=unit_tests, files={}, env_vars={})
        move(given, database)
        return given
