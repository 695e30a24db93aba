"""Playbooks as written: their YAML, the language of their conditions, the calendar of their steps."""
