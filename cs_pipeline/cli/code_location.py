"""Ask the Dagster UI whether our code loads; to import Dagster would take seconds."""

import json
import urllib.request

from cs_pipeline.settings import Settings

QUERY = """
    query {
        workspaceOrError {
            ... on Workspace { locationEntries { locationOrLoadError { ... on PythonError { message } } } }
            ... on PythonError { message }
        }
    }
"""
SECONDS = 10


def why_not_loaded(settings: Settings) -> str:
    """What Dagster says why the code does not load; empty when it does. Raises OSError when the UI does not answer."""
    request = urllib.request.Request(
        f"{settings.ui_url}/graphql", json.dumps({"query": QUERY}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        found = json.load(response)["data"]["workspaceOrError"]
    entries = [entry["locationOrLoadError"] or {} for entry in found.get("locationEntries", [])]
    return " ".join("; ".join(each["message"] for each in (found, *entries) if "message" in each).split())
