"""Simulation: plays on past weeks, on one account today, or under another score model. Nothing is written."""
