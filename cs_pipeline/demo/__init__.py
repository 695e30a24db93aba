"""A sample company with known truth: a seeded generator of canonical tables, and how they looked at a moment.

Nothing in the pipeline imports this package. Its story runs the real schedules and sensors on a clock of its own.
"""
