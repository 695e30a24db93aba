"""Triggers: what may start a play, one module a kind, live and as of a past week; and their dispatch to playbooks."""
