"""KPIs to read: values with targets, the accounts behind a change, renewal forecasts. The figures are dbt models."""
