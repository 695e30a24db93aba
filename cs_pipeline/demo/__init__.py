"""A sample company with known truth: a seeded generator of canonical tables, and how they looked at a moment.

Nothing in the pipeline imports this package, and nothing in it scores, triggers or sends.
"""
