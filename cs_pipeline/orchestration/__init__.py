"""Everything that Dagster shows: partitions, resources, assets, jobs, sensors, schedules, checks.

The only package that imports Dagster. It stays thin: what is decided or computed lives in the packages below.
"""
