"""Compare score models and baselines with what happened to accounts. Read only.

The measures need scikit-learn, which takes a second to import: commands and assets import this room when they run.
"""
