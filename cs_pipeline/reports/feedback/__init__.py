"""Show what customers said and where it went, to people and programs."""
