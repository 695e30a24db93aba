"""Hand on what customers say: to whom, by which rule, each once.

Here belong the form of `routing.yaml`, the ledger of what went where, and the messages to those who receive it. What
customers said is a dbt model; the weekly digest of requests is in `cs_pipeline.reports`.
"""
