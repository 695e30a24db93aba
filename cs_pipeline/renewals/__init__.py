"""Renewal dates and the windows before and after them."""
