"""Alerts: rules in SQL that are evaluated hourly, daily or weekly, fire once, and end when it is over.

A rule is a dbt view with six contracted columns and its `meta.alert`. Here belongs what is done with its rows. What a
play is, and how messages leave, belongs to `plays`.
"""
