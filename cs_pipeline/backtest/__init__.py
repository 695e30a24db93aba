"""Whether a score model knew who would leave: models and baselines held against what happened. Read only.

The measures need scikit-learn, which takes a second to import: commands and assets import this room when they run.
"""
