"""Delivery: takes due actions, decides which may go out now, and hands them to channels."""
