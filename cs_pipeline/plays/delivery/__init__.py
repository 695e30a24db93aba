"""Deliver: take due actions, decide which may go out now, and hand them to channels."""
