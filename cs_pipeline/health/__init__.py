"""Score models in, scores out: specification, scoring, change attribution, explanation.

Pure: frames and arrays go in, frames and arrays come out. No database, no clock, no Dagster.
"""
