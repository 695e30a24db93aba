"""Meaning, targets and parameters of KPIs. The figures themselves are dbt models (`fct_kpis`)."""
