"""Let a process that has loaded much, and keeps it, look for garbage seldom."""

import gc

SELDOM = (100_000, 50, 100)
"""How many new objects set off a look for garbage, and how many looks one that goes further back."""


def look_for_garbage_seldom() -> None:
    """From here on only what is made new is looked through.

    Dagster, dbt and the project as dbt parsed it are hundreds of thousands of objects that stay.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)
