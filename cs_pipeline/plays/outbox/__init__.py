"""Keep the outbox `cs.actions`: how actions move from planned to sent, what holds them, what people decide."""
