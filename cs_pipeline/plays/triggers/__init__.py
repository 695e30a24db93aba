"""Triggers: what may start a play, one module a kind, live and as of a past week; and which a sensor hands to a run."""
