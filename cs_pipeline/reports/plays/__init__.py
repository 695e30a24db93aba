"""Plays for their readers: how far they are, what was sent and why, previews and simulations in words."""
