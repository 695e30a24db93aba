"""Enrolment: who enters a play, with which actions, and when the play ends."""
