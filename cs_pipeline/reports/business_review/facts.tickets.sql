-- Tickets by the month in which they were opened; in the row without a month, those of the period.
select
    date_trunc('month', created_at at time zone 'UTC')::date as month,
    count(*) as opened,
    count(*) filter (where resolved_at < %(as_of)s) as resolved,
    percentile_cont(0.5) within group (
        order by extract(epoch from first_responded_at - created_at) / 3600
    ) filter (where first_responded_at < %(as_of)s) as hours_to_answer
from staging.stg_tickets
where
    account_id = %(account)s
    and created_at >= %(first)s
    and created_at < %(as_of)s
    and coalesce(_loaded_at < %(as_of)s, true)
group by grouping sets ((date_trunc('month', created_at at time zone 'UTC')::date), ())
order by date_trunc('month', created_at at time zone 'UTC')::date
