"""Plays: what starts one, who is enrolled, what is due, what must not go out, and what came of it.

Knows whom to contact, when and why. How a message leaves is the `channels` package. The packages here are layers:
`pyproject.toml` says which may import which.
"""
