"""Score models made from what happened."""
