"""Weeks of scores, score changes and renewal windows, kept in the `cs` schema.

The room between orchestration and the pure rooms: reads the marts, lets `health` and `renewals` say what a week holds,
and replaces the week in one transaction. What a score means is in `health`; who is contacted is in `plays`.
"""
