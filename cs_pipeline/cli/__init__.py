"""The `cs-pipeline` command. Commands are thin: they read settings, call a room, and print.

Dagster and dbt take seconds to import, so commands import what they need when they run.
"""
