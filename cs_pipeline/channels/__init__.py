"""Bring rendered messages to their readers: the registry, and an adapter for each channel.

A channel knows how to deliver, not whom to contact or why; that is decided in `plays`. Nothing here renders a template,
reads a playbook or writes the outbox.
"""
