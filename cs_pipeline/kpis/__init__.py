"""What key figures mean, their targets and their parameters. The figures themselves are dbt models (`fct_kpis`)."""
