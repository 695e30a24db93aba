"""Remove a person's data from everything that we hold."""
