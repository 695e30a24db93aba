"""All of Dagster: `build` puts together assets, checks, jobs, sensors, schedules and resources; `keys` names them.

Below it nothing imports Dagster; above it, the command line and the demo start what is here.
It stays thin: what is decided or computed lives in the packages below.
"""
