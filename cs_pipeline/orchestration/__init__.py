"""All of Dagster: `build` puts together assets, checks, jobs, sensors, schedules and resources; `keys` names them.

The only package that imports Dagster. It stays thin: what is decided or computed lives in the packages below.
"""
