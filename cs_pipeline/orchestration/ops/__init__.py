"""Ops that several jobs share."""
