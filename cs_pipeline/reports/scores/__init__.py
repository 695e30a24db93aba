"""Scores for their readers: tables, charts and stories of accounts."""
