"""Backtests and uplift for their readers: tables, charts, text and a page."""
