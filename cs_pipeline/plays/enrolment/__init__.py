"""Enrolment: accounts enter plays, their actions are planned, and plays end."""
