"""Checks of assets. Those that stop plays from starting are `health`'s; the others warn, and people decide."""
