"""Make a score model from what happened: a file like one made by hand, reviewed like one, and never applied by itself.

The measures and the observations are those of the backtest. scikit-learn takes a second to import: commands import this
room when they run.
"""
