"""Compare score models and baselines with what happened to accounts. Read only.

Baselines and tuning need scikit-learn and scipy, which take a second to import: commands and assets import this room
when they run. What every weekly run asks is in `knowledge`, and needs neither.
"""
