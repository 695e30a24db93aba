"""`doctor`: find what is configured, reachable and missing, and say what to do about it. Changes nothing."""
