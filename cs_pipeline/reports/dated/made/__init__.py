"""Make each report, a module a report: it reads what was known at the end of its period, and writes nothing."""
