"""The outbox `cs.actions`: how an action moves from planned to sent, what holds it, and what people decide about it."""
