"""Sensors. Each reads our own tables, lets a pure function decide, and launches runs or tells operations.

Dagster's asset sensors see only the newest materialization per tick, and its event ids can commit out of order, so
neither is trusted. A run key is a first filter only; that nobody is enrolled twice is the database's business.
"""
